import { describe, expect, it } from 'vitest';
import { changesNothing, parseJobSpec } from '../../../../shared/job/spec.ts';
import { summaryOf } from '../../../../shared/job/verification.ts';

const job = { source: 'a:/x', destination: 'b:/x' };

describe('a job that verifies', () => {
  it('is one that says so, at level checksum and in both directions; the two paths are held against each other', () => {
    const spec = parseJobSpec({ ...job, verify: {} });
    expect(spec).toMatchObject({ verify: { level: 'checksum', oneWay: false }, options: { mapping: 'exact' } });
    expect([spec, parseJobSpec({ ...job, dryRun: true }), parseJobSpec(job)].map(changesNothing)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('takes what chooses of a tree, names attributes or sets limits', () => {
    const options = {
      exclude: ['x'],
      minSize: 1,
      attributes: ['owner'],
      bandwidth: '1M',
      threads: 3,
      filesFrom: 's3://b/l',
    };
    expect(parseJobSpec({ ...job, verify: {}, options }).options).toMatchObject(options);
  });

  it.each([
    [{ options: { delete: true, mapping: 'exact' } }, 'options.delete says how to copy'],
    [{ options: { existing: 'update' } }, 'options.existing says how to copy'],
    [{ options: { verify: 'none' } }, 'options.verify says how to copy'],
    [{ options: { snapshot: true, mapping: 'exact' } }, 'options.snapshot says how to copy'],
    [{ dryRun: true }, 'leave out one'],
    [{ source: ['a:/x', 'a:/y'] }, 'verify takes one source'],
    [{ verify: { deep: true } }, 'verify'],
  ])('is refused with %j', (more, says) => {
    expect(() => parseJobSpec({ ...job, verify: {}, ...more })).toThrow(says);
  });
});

describe('the summary of counters', () => {
  it.each([
    [{}, 'equal'],
    [{ 'verify.findings': 2, 'verify.different.content': 2 }, 'different'],
    [{ 'verify.findings': 2, 'verify.different.content': 1, 'verify.open': 1 }, 'unknown'],
    [{ 'verify.findings': 1, 'verify.unknown': 1 }, 'unknown'],
  ])('of %j is that the trees are %s', (counters, outcome) => {
    expect(summaryOf(new Map(Object.entries(counters)), 'checksum', []).outcome).toBe(outcome);
  });

  it('says what a level could not tell', () => {
    const of = (name: string) => new Map([[`verify.proved.${name}`, 2]]);
    expect(summaryOf(of('length'), 'size', ['note']).untold).toEqual([expect.stringContaining('of 2 files'), 'note']);
    expect(summaryOf(of('checksum'), 'checksum', []).untold).toEqual([expect.stringContaining('no block was read')]);
    expect(summaryOf(of('read-back'), 'read-back', []).untold).toEqual([]);
  });
});
