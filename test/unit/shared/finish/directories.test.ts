import { describe, expect, it } from 'vitest';
import { type DirectoriesPosition, directoriesStart, setDirectories } from '../../../../shared/finish/directories.ts';
import { type DirectoryLosses, DirectoryLossReport } from '../../../../shared/finish/directory-losses.ts';
import type { Finishing } from '../../../../shared/finish/finishing.ts';
import { endingOf } from '../../../../shared/job/ending.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { parentOf } from '../../../../shared/storage/path.ts';
import { DirectoryTree } from '../../../support/directory-tree.ts';
import { never } from '../../../support/files.ts';
import { newJob } from '../../../support/outcomes.ts';

const spec = parseJobSpec({ source: 'a:/tree', destination: 'b:/tree', options: { attributes: ['times'] } });
const roots = [{ source: '/tree', destination: '/tree', kind: 'directory' as const }];
const job = newJob({ spec, roots });

/** 421 directories; those of the destination have another time. */
const trees = (requestMs = 0) => ({
  source: new DirectoryTree([20, 20], 1000),
  destination: new DirectoryTree([20, 20], 2000, { requestMs }),
});
const DIRECTORIES = 1 + 20 + 20 * 20;

function finishing(ends: ReturnType<typeof trees>, changes: Partial<Finishing> = {}): Finishing {
  return {
    job,
    ...ends,
    signal: never,
    log: silentLog,
    isOver: () => false,
    ...changes,
  } as unknown as Finishing;
}

async function lossesOf(ends: ReturnType<typeof trees>, changes: Partial<Finishing> = {}): Promise<DirectoryLosses> {
  const ended = await setDirectories(finishing(ends, changes), directoriesStart);
  if ('at' in ended) throw new Error('it stopped');
  return ended.losses;
}

describe('attributes of directories', () => {
  it('are set once each, 40 at once, and on no directory before those below it', async () => {
    // Long enough for the listings to come first.
    const ends = trees(20);
    expect(await lossesOf(ends)).toEqual({ warnings: {}, examples: [] });
    const { setPaths, peak } = ends.destination;
    expect(setPaths).toHaveLength(DIRECTORIES);
    expect(new Set(setPaths).size).toBe(DIRECTORIES);
    expect(peak).toBe(40);
    const at = new Map(setPaths.map((path, index) => [path, index]));
    const early = setPaths.filter((path) => path !== '/tree' && (at.get(parentOf(path)) ?? -1) < (at.get(path) ?? 0));
    expect(early).toEqual([]);
  });

  it.each([
    ['source', 7],
    ['destination', 3],
  ] as const)('keep within what the %s allows: %d at once', async (end, maxConcurrency) => {
    const ends = trees(5);
    await lossesOf(ends, { [end]: decorated(ends[end], { maxConcurrency }) });
    expect(ends.destination.peak).toBe(maxConcurrency);
    expect(ends.destination.setPaths).toHaveLength(DIRECTORIES);
  });

  it('keep within what one cluster allows that is source and destination, listings included', async () => {
    const tree = new DirectoryTree([40, 40], 1000, { requestMs: 2, listingMs: 2 });
    const cluster = decorated(tree, { maxConcurrency: 3 });
    await lossesOf({ source: tree, destination: tree }, { source: cluster, destination: cluster });
    expect(tree.stats).toBeGreaterThan(1 + 40 + 40 * 40);
    expect(tree.peakWithListings).toBe(3);
  });

  it('that are right already are not sent', async () => {
    const ends = trees();
    await lossesOf(ends);
    await lossesOf(ends);
    expect(ends.destination.setPaths).toHaveLength(DIRECTORIES);
  });

  it.each([1, 7, 100])('go on where they stopped, when they stop every %d entries', async (steps) => {
    const ends = trees();
    let at: DirectoriesPosition = directoriesStart;
    let stretches = 0;
    for (;;) {
      let left = steps;
      const ended = await setDirectories(finishing(ends, { isOver: () => --left <= 0 }), at);
      stretches += 1;
      if ('losses' in ended) break;
      at = JSON.parse(JSON.stringify(ended.at)) as DirectoriesPosition;
    }
    expect(stretches).toBeGreaterThan(DIRECTORIES / steps);
    expect(ends.destination.setPaths).toHaveLength(DIRECTORIES);
    expect(ends.destination.stats).toBe(DIRECTORIES);
  });

  it('that cannot be set are counted, and their directories named, also in the log', async () => {
    const ends = trees();
    const where = { operation: 'SETTIMES', path: '/tree/d000003' };
    ends.destination.refused.set('/tree/d000003', new StorageError('denied', 'AccessControlException', 'no', where));
    ends.destination.gone.add('/tree/d000005').add('/tree/d000007/d000001');
    const logged: object[] = [];
    const log = { ...silentLog, warn: (fields: object) => logged.push(fields) };
    const { warnings, examples } = await lossesOf(ends, { log });
    expect(warnings).toMatchObject({ times: 1, 'directory gone': 2 });
    expect([...examples].sort()).toEqual([
      expect.stringMatching(/^\/tree\/d000003: times: SETTIMES .*no/),
      '/tree/d000005: it is not there any more, or could not be made',
      '/tree/d000007/d000001: it is not there any more, or could not be made',
    ]);
    expect(logged).toHaveLength(3);
    expect(ends.destination.setPaths).toHaveLength(DIRECTORIES - 1 - 21 - 1);
  });

  it('of a source that is gone are counted and named', async () => {
    const ends = trees();
    ends.source.gone.add('/tree');
    expect(await lossesOf(ends)).toMatchObject({
      warnings: { 'directory gone': 1 },
      examples: ['/tree: its source is not there any more'],
    });
  });

  it('of a destination that is gone with its parent are counted and named once', async () => {
    const ends = trees();
    ends.destination.gone.add('/x/y');
    const elsewhere = { ...job, roots: [{ source: '/tree', destination: '/x/y/tree', kind: 'directory' as const }] };
    expect(await lossesOf(ends, { job: elsewhere })).toMatchObject({
      warnings: { 'directory gone': 1 },
      examples: ['/x/y/tree: it is not there any more, or could not be made'],
    });
  });

  it('of the source that came after the job began are told, and fail no strict job', async () => {
    const ends = { ...trees(), source: new DirectoryTree([20], job.startedAtMs) };
    ends.destination.gone.add('/tree/d000003');
    const { warnings } = await lossesOf(ends);
    expect(warnings).toMatchObject({ 'directory newer than the job': 1 });
    const strict = parseJobSpec({ source: 'a:/tree', destination: 'b:/tree', options: { strictPreserve: true } });
    expect(endingOf({ ...job, spec: strict }, new Map(), warnings)).toMatchObject({ outcome: 'Successful' });
    const older = { ...ends, source: new DirectoryTree([20], job.startedAtMs - 1) };
    const gone = await lossesOf(older);
    expect(endingOf({ ...job, spec: strict }, new Map(), gone.warnings)).toMatchObject({ outcome: 'Failed' });
  });

  it('that cannot be listed are counted under one reason, without their paths and hosts', async () => {
    const ends = trees();
    const source = decorated(ends.source, {
      async *list(path: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly FileStatus[]> {
        const refusal = `Permission denied: user=etl, inode="${path}":hdfs:supergroup:drwx------`;
        const where = { operation: 'LISTSTATUS_BATCH', path, host: 'namenode1.example.com:9870' };
        if (path !== '/tree') throw new StorageError('denied', 'AccessControlException', refusal, where);
        yield* ends.source.list(path, signal, after);
      },
    });
    const { warnings, examples } = await lossesOf(ends, { source });
    expect(warnings['directory not listed']).toBe(20);
    const reasons = Object.keys(warnings).filter((name) => name.startsWith('reasons.'));
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(/^reasons\.directory not listed: AccessControlException: Permission denied/);
    expect(reasons[0]).not.toMatch(/namenode1|\/tree/);
    expect(examples[0]).toContain('/tree/d000000');
  });

  it('are counted under fifty different reasons and one for all others', () => {
    const report = new DirectoryLossReport({ warnings: {}, examples: [] }, silentLog);
    for (let i = 0; i < 200; i++) report.add(`/${i}`, ['owner', `reasons.owner: ${i}`], 'no');
    report.add('/0', ['times', 'reasons.owner: 0'], 'no');
    const { warnings } = report.losses;
    expect(warnings).toMatchObject({ owner: 200, times: 1, 'reasons.owner: 0': 2 });
    expect(warnings['reasons.other reasons: see the log']).toBe(150);
    expect(Object.keys(warnings)).toHaveLength(2 + 50 + 1);
  });

  it('are named up to a hundred, and all of them in the log', async () => {
    const ends = trees();
    for (let i = 0; i < 20; i++) {
      for (let j = 0; j < 20; j++) {
        ends.destination.gone.add(`/tree/d${String(i).padStart(6, '0')}/d${String(j).padStart(6, '0')}`);
      }
    }
    let logged = 0;
    const { warnings, examples } = await lossesOf(ends, { log: { ...silentLog, warn: () => (logged += 1) } });
    expect(warnings['directory gone']).toBe(400);
    expect(examples).toHaveLength(100);
    expect(logged).toBe(400);
  });

  it('end with the error of the job as a whole, and with nothing on its way', async () => {
    const ends = trees();
    const where = { operation: 'SETTIMES', path: '/tree/d000003' };
    const error = Object.assign(new StorageError('denied', 'X', 'gone', where), { disposition: 'fail-job' });
    ends.destination.refused.set('/tree/d000003/d000003', error);
    await expect(lossesOf(ends)).rejects.toBe(error);
    const ended = ends.destination.stats;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ends.destination.stats).toBe(ended);
  });
});

describe('directories that planning found equal', () => {
  const planned = { 'directories.equal': DIRECTORIES, 'files.skipped': 7 };
  const settled = { ...job, expectedFiles: 7, planned };
  const none = { files: 0, bytes: 0, directories: 0, destinationFiles: 7, sourceEntries: 7, sourceFiles: 7 };

  it.each([
    ['are not looked at again', {}, 0],
    ['nor where nothing was there to delete', { deletes: none }, 0],
    ['are where one of them was not equal', { planned: { ...planned, 'directories.due': 1 } }, DIRECTORIES],
    ['are where a copier had work', { expectedFiles: 8 }, DIRECTORIES],
    ['are where a file was deleted', { deletes: { ...none, files: 1 } }, DIRECTORIES],
    ['are where an empty directory was deleted', { deletes: { ...none, directories: 1 } }, DIRECTORIES],
    ['are where an earlier version planned', { planned: { 'files.skipped': 7 } }, DIRECTORIES],
    ['are where an earlier version deleted', { deletes: { files: 0, bytes: 0 } }, DIRECTORIES],
  ])('%s', async (_, changes, looked) => {
    const ends = trees();
    const now = { ...settled, ...changes };
    const store = { get: () => Promise.resolve(now) } as unknown as Finishing['store'];
    // What was deleted is known to the store alone.
    const { deletes, ...begun } = { deletes: undefined, ...now };
    await lossesOf(ends, { job: begun, store });
    expect(ends.destination.setPaths).toHaveLength(looked);
  });
});
