import { describe, expect, it } from 'vitest';
import { type EarlierJob, lookOf } from '../../../../shared/job/base.ts';
import type { Job } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { newJob } from '../../../support/outcomes.ts';

const specOf = (options: object = {}, destination = 'B:/mirror') =>
  parseJobSpec({ source: 'A:/top/in', destination, options: { mapping: 'exact', snapshot: true, ...options } });

/** A job of the mirror, as it was when it had ended well, an hour long. @param hour  of its beginning */
function earlier(
  id: string,
  hour: number,
  changes: Partial<Job> = {},
  counters: Record<string, number> = {},
): EarlierJob {
  const job = newJob({
    id,
    spec: specOf(),
    roots: [
      { source: `/top/.snapshot/hdfs-fanout-${id}/in`, live: '/top/in', destination: '/mirror', kind: 'directory' },
    ],
    phase: 'done',
    outcome: 'Successful',
    startedAtMs: hour,
    endedAtMs: hour + 1,
    snapshot: { root: '/top', whole: 'no base', destination: 'B1' },
    ...changes,
  });
  return { job, counters: new Map(Object.entries(counters)) };
}

const failed = (id: string, hour: number, changes: Partial<Job> = {}) =>
  earlier(id, hour, { outcome: 'Failed', snapshot: { root: '/top', since: ['hdfs-fanout-1'] }, ...changes });

/** What the job `new` looks at. */
function look(
  others: readonly EarlierJob[],
  how: { options?: object; gone?: readonly string[]; destination?: string | undefined } = {},
) {
  const { options = {}, gone = [], destination } = { destination: 'B1', ...how };
  const { job } = earlier('new', 100, { spec: specOf(options), outcome: undefined, snapshot: { root: '/top' } });
  const names = others.map((other) => `hdfs-fanout-${other.job.id}`).filter((name) => !gone.includes(name));
  return lookOf(job, others, new Set(names), destination);
}

/** A look at what changed. @param base  where that is not the first */
function since(ids: readonly string[], base = ids[0]) {
  return { since: ids.map((id) => `hdfs-fanout-${id}`), base: `hdfs-fanout-${base}` };
}

const elsewhere: Partial<Job> = {
  roots: [{ source: '/x', destination: '/mirror2', kind: 'directory' }],
  outcome: 'Failed',
};

describe('changes are looked at', () => {
  it.each<[string, EarlierJob, object]>([
    ['a job that was successful', earlier('1', 1), {}],
    [
      'one that ran otherwise',
      earlier('1', 1, { spec: specOf({ threads: 3, verify: 'checksum' }) }),
      { bandwidth: '1M' },
    ],
    ['one that replaced what existed', earlier('1', 1, { spec: specOf({ existing: 'update' }) }), { existing: 'skip' }],
    [
      'one that left alone what this one would',
      earlier('1', 1, { spec: specOf({ existing: 'skip' }) }, { 'skipped.exists': 3 }),
      { existing: 'skip' },
    ],
    ['one that skipped equal files', earlier('1', 1, {}, { 'skipped.identical content': 3, 'files.skipped': 3 }), {}],
    ['one to which something had been deleted already', earlier('1', 1, {}, { 'kept.gone already': 1 }), {}],
    ['one that lost attributes', earlier('1', 1, { directoryWarnings: { owner: 2 } }, { 'warnings.owner': 5 }), {}],
  ])('since %s', (_, base, options) => {
    expect(look([base], { options })).toEqual(since(['1']));
  });

  it.each([{ verify: { level: 'size', oneWay: false } }, { dryRun: true }] as const)(
    'since a job after which one has only looked: %j',
    (looking) => {
      const spec = { ...specOf({ snapshot: false }), ...looking };
      const { job, counters } = earlier('2', 3, { spec, outcome: 'Failed' });
      const { snapshot, ...looked } = job;
      expect(snapshot).toBeDefined();
      expect(look([earlier('1', 1), { job: looked, counters }])).toEqual(since(['1']));
    },
  );

  it('since the newest of several', () => {
    expect(look([earlier('1', 1), earlier('3', 5), earlier('2', 3)])).toEqual(since(['3']));
  });

  it('of each later job that was not successful as well', () => {
    const chain = since(['1', '2', '3']);
    expect(look([failed('3', 5), earlier('1', 1), failed('2', 3)])).toEqual(chain);
  });

  it('of an earlier job that was taken up again after the base', () => {
    const others = [earlier('2', 3), failed('1', 1, { endedAtMs: 9 })];
    expect(look(others)).toEqual(since(['1', '2'], '2'));
  });

  it('of a job that died, as long as that was', () => {
    const dead = { outcome: undefined, endedAtMs: undefined };
    expect(look([earlier('2', 3), failed('1', 1, { ...dead, seenAtMs: 2 })])).toEqual(since(['2']));
    const both = since(['1', '2'], '2');
    expect(look([earlier('2', 3), failed('1', 1, { ...dead, seenAtMs: 9 })])).toEqual(both);
    expect(look([earlier('2', 3), failed('1', 1, dead)])).toEqual(both);
  });

  it.each([
    [
      'wrote elsewhere',
      earlier('2', 3, { roots: [{ source: '/x', destination: '/mirror2', kind: 'directory' }], outcome: 'Failed' }),
    ],
    ['wrote to another cluster, elsewhere', earlier('2', 3, { ...elsewhere, spec: specOf({}, 'C:/mirror2') })],
    ['ended before the base began', earlier('2', -5, { outcome: 'Failed' })],
    ['was refused before it did anything', earlier('2', 3, { outcome: 'Failed', snapshot: { root: '/top' } })],
  ])('whatever a job has done that %s', (_, other) => {
    expect(look([earlier('1', 1), other])).toEqual(since(['1']));
  });
});

describe('a job that has written to the same path of another cluster', () => {
  const at = (pool: string, inode = 5) => `${inode}\nBP-${pool} /mirror\nhttp://10.0.0.${pool}:9870 /mirror`;
  const base = earlier('1', 1, { snapshot: { root: '/top', whole: 'no base', destination: at('1') } });
  const there = (destination: string | undefined) =>
    earlier('2', 3, { spec: specOf({}, 'C:/mirror'), snapshot: { root: '/top', since: [], destination } });

  it.each([
    ['by its block pool', at('2')],
    ['of which each namespace tells its block pool', `7\nBP-2 /mirror\nBP-3 /mirror/in\nhttp://x /mirror/in`],
  ])('is none of this one, %s', (_, destination) => {
    expect(look([base, there(destination)], { destination: at('1') })).toEqual(since(['1']));
  });

  it.each([
    ['that may be the same, by its address alone', '7\nhttp://10.0.0.9:14000 /mirror'],
    ['that is the same by another name', at('1', 7)],
    ['that shares a namespace with it', `7\nBP-2 /mirror\nBP-1 /mirror/in`],
    ['of which not all tell their block pool', `7\nBP-2 /mirror\nhttp://x /mirror/in`],
    ['that is not known', undefined],
  ])('%s has everything looked at', (_, destination) => {
    expect(look([base, there(destination)], { destination: at('1') })).toHaveProperty('whole');
  });
});

describe('everything is looked at', () => {
  it.each<[string, readonly EarlierJob[], Parameters<typeof look>[1]]>([
    ['no earlier job with --snapshot is known', [], {}],
    [
      'no earlier job with --snapshot is known',
      [
        earlier('1', 1, {
          roots: [{ source: '/top/.snapshot/1/out', live: '/top/out', destination: '/mirror', kind: 'directory' }],
        }),
      ],
      {},
    ],
    ['the job 1 was not successful', [earlier('1', 1, { outcome: 'Failed' })], {}],
    ['the job 1 was not successful', [earlier('1', 1, { outcome: 'Interrupted' })], {}],
    ['the job 1 was undone', [earlier('1', 1, { undone: { atMs: 50, isWhole: true } })], {}],
    [
      'the job 1 has written to the destination since: it was undone',
      [earlier('1', 1, { undone: { atMs: 50, isWhole: false } }), earlier('2', 10)],
      {},
    ],
    ['the job 1 has no snapshot any more', [earlier('1', 1)], { gone: ['hdfs-fanout-1'] }],
    ['the job 1 has no snapshot any more', [earlier('1', 1, { snapshot: { root: '/', destination: 'B1' } })], {}],
    ['the job 1 wrote to another directory', [earlier('1', 1)], { destination: 'B2' }],
    ['the job 1 wrote to a directory that is gone, or', [earlier('1', 1)], { destination: undefined }],
    ['the job 1 wrote to another directory', [earlier('1', 1, { snapshot: { root: '/top' } })], {}],
    ['the job 1 had another exclude', [earlier('1', 1)], { options: { exclude: ['x'] } }],
    ['the job 1 had another preserve', [earlier('1', 1)], { options: { preserve: true } }],
    [
      'the job 1 had another attributes',
      [earlier('1', 1, { spec: specOf({ preserve: true }) })],
      { options: { preserve: true, attributes: ['times'] } },
    ],
    ['the job 1 had another delete', [earlier('1', 1)], { options: { delete: true } }],
    ['the job 1 had another delete', [earlier('1', 1, { spec: specOf({ delete: true }) })], {}],
    ['the job 1 had another compare', [earlier('1', 1, { spec: specOf({ compare: 'size' }) })], {}],
    ['the job 1 had another verify', [earlier('1', 1, { spec: specOf({ verify: 'none' }) })], {}],
    ['the job 1 had another minSize', [earlier('1', 1)], { options: { minSize: 5 } }],
    [
      'the job 1 chose files by their time',
      [earlier('1', 1, { spec: specOf({ modifiedAfter: '2024-01-01' }) })],
      { options: { modifiedAfter: '2024-01-01' } },
    ],
    ['the job 1 left files alone', [earlier('1', 1, { spec: specOf({ existing: 'skip' }) })], {}],
    ['the job 1 skipped files: open for writing', [earlier('1', 1, {}, { 'skipped.open for writing': 1 })], {}],
    [
      'the job 1 skipped files: open for writing',
      [earlier('1', 1, { planned: { 'skipped.open for writing': 1 } })],
      {},
    ],
    ['the job 1 had files that vanished', [earlier('1', 1, {}, { 'files.vanished': 1 })], {}],
    ['the job 1 had files that vanished or changed', [earlier('1', 1, {}, { 'files.changed': 2 })], {}],
    ['the job 1 skipped files: exists', [earlier('1', 1, {}, { 'skipped.exists': 1 })], {}],
    ['the job 1 did not delete all: not empty', [earlier('1', 1, {}, { 'kept.not empty': 1 })], {}],
    [
      'the job 1 did not delete all: 2 directories',
      [earlier('1', 1, { notDeleted: '2 directories could not be listed' })],
      {},
    ],
    [
      'the job 1 left out directories: directory gone',
      [earlier('1', 1, { directoryWarnings: { 'directory gone': 1 } })],
      {},
    ],
    ...['directory refused', 'permission', 'acl'].map((name): [string, readonly EarlierJob[], object] => [
      `the job 1 left out directories: ${name}`,
      [earlier('1', 1, { directoryWarnings: { [name]: 1 } })],
      {},
    ]),
    [
      'the job 2 has written to the destination since: from another source, or by another name of a cluster',
      [earlier('1', 1), earlier('2', 3, { spec: specOf({}, 'C:/mirror') })],
      {},
    ],
    [
      'the job 2 has written to the destination since: it looked at everything',
      [earlier('1', 1), earlier('2', 3, { outcome: 'Failed' })],
      {},
    ],
    [
      'the job 2 has written to the destination since: it looked at everything',
      [earlier('1', 1), earlier('2', 3, { spec: specOf({ exclude: ['x'] }) })],
      {},
    ],
    [
      'the job 2 has written to the destination since: it looked at everything',
      [
        earlier('1', 1),
        failed('2', 3, { snapshot: { root: '/top', since: ['hdfs-fanout-1'], whole: 'more than 64 MiB' } }),
      ],
      {},
    ],
    [
      'the job 2 has written to the destination since: its snapshot is gone',
      [earlier('1', 1), failed('2', 3)],
      { gone: ['hdfs-fanout-2'] },
    ],
    [
      'the job 2 has written to the destination since: without --snapshot',
      [
        earlier('1', 1),
        {
          ...earlier('2', 3),
          job: newJob({
            id: '2',
            spec: specOf({ snapshot: false }),
            roots: [{ source: '/top/in', destination: '/mirror', kind: 'directory' }],
            startedAtMs: 3,
            endedAtMs: 4,
          }),
        },
      ],
      {},
    ],
    [
      'the job 2 has written to the destination since: from another source',
      [earlier('1', 1), failed('2', 3, { roots: [{ source: '/x', destination: '/mirror/in', kind: 'directory' }] })],
      {},
    ],
    [
      'the job 2 has written to the destination since: from another source',
      [earlier('1', 1), failed('2', 3, { roots: [{ source: '/x', destination: '/', kind: 'directory' }] })],
      {},
    ],
  ])('%s', (why, others, how) => {
    expect(look(others, how)).toEqual({ whole: expect.stringContaining(why) as string });
  });

  it('since a base before a job whose options were others is none once that one has written', () => {
    const others = [earlier('1', 1), earlier('2', 3, { spec: specOf({ exclude: ['x'] }) })];
    expect(look(others, { options: { exclude: ['x'] } })).toEqual(since(['2']));
  });

  it('where a job that is not known has made a snapshot since the base', () => {
    const base = earlier('1', 1);
    const { job } = earlier('new', 100, { outcome: undefined, snapshot: { root: '/top' } });
    const named = (...ids: string[]) => lookOf(job, [base], new Set(ids.map((id) => `hdfs-fanout-${id}`)), 'B1');
    const why = 'the snapshot hdfs-fanout-x is newer than the base, and its job is not known here';
    expect(named('1', 'x', 'new')).toEqual({ whole: why });
    expect(named('x', '1', 'new')).toEqual(since(['1']));
  });
});
