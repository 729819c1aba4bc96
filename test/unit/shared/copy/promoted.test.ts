import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdsTheSame } from '../../../../shared/copy/promoted.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { SplitFile } from '../../../../shared/job/unit.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

const disk = new LocalDisk(65_536);
let directory: string;
let sourcePath: string;
let destinationPath: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-promoted-'));
  [sourcePath, destinationPath] = [join(directory, 'a'), join(directory, 'b')];
  for (const path of [sourcePath, destinationPath]) writeFileSync(path, 'bytes');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A disk whose file grows before it is read. */
const growing = decorated(disk, {
  read: (path, ...rest) => {
    appendFileSync(path, ' and more');
    return disk.read(path, ...rest);
  },
});

async function holds(source: Storage, destination: Storage): Promise<boolean> {
  const of = { kind: 'file', root: 0, path: 'a', lengthBytes: 5, blockBytes: 4, decision: 'copy' } as const;
  const status = await source.stat(sourcePath, never);
  const split = { number: 0, chunkBytes: 4 };
  const unit: SplitFile = { ...of, modifiedAtMs: status?.modifiedAtMs ?? 0, split };
  const there = await destination.stat(destinationPath, never);
  return holdsTheSame({ source, sourcePath, destination, destinationPath }, unit, there, never);
}

describe('a file that stands at the destination', () => {
  it('holds the same, or not', async () => {
    expect(await holds(disk, disk)).toBe(true);
    writeFileSync(destinationPath, 'BYTES');
    expect(await holds(disk, disk)).toBe(false);
  });

  it('does not hold the same once somebody writes to it, which is no change of the source', async () => {
    expect(await holds(disk, growing)).toBe(false);
  });

  it('is not told to differ where it is the source that has changed', async () => {
    await expect(holds(growing, disk)).rejects.toMatchObject({ name: 'SourceChangedError' });
  });
});
