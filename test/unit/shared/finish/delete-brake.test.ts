import { describe, expect, it } from 'vitest';
import { deleteLimit, requireFewDeletes } from '../../../../shared/finish/delete-brake.ts';

const found = { files: 0, bytes: 0, directories: 0, destinationFiles: 1000, sourceEntries: 10, sourceFiles: 10 };

describe('how many files may be deleted', () => {
  it.each<[number | string, number, number, number]>([
    // maxDelete, files of the destination, files of the source, limit
    ['auto', 1000, 1, 100],
    ['auto', 1_000_000, 1, 10_000],
    ['auto', 50, 1, 20],
    ['auto', 0, 1, 20],
    ['auto', 50, 0, 5],
    ['auto', 1, 0, 0],
    [0, 1000, 1, 0],
    [5, 10, 0, 5],
    [50_000, 10, 1, 50_000],
    ['0%', 1000, 1, 0],
    ['1%', 50, 1, 0],
    ['50%', 7, 1, 3],
    ['100%', 7, 1, 7],
  ])('%s of %i, where the source has %i: %i', (maxDelete, destinationFiles, sourceFiles, limit) => {
    expect(deleteLimit({ maxDelete }, { destinationFiles, sourceFiles })).toBe(limit);
  });

  it.each([
    [{ files: 100 }, undefined],
    [{ files: 101 }, "101 of the destination's 1000 files would be deleted, more than the limit of 100"],
    [{ files: 99, directories: 2 }, '99 of the destination’s 1000 files and 2 empty directories'],
    [{ files: 1, sourceEntries: 0 }, 'the source has become empty'],
    [{ files: 0, sourceEntries: 0 }, undefined],
  ])('%j: %s', (changes, says) => {
    const work = () => requireFewDeletes({ maxDelete: 'auto' }, { ...found, ...changes });
    if (says === undefined) expect(work).not.toThrow();
    else expect(work).toThrow(says.replace('’', "'"));
  });
});
