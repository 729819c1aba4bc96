import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { transfer } from '../../../../shared/copy/transfer.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { TransportError } from '../../../../shared/errors.ts';
import type { Existing } from '../../../../shared/job/existing.ts';
import type { JobStore } from '../../../../shared/job/job-store.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';

const { signal } = new AbortController();
const disk = new LocalDisk(65_536);
const content = Buffer.alloc(300_000, 7);
const part = content.subarray(0, 65_536);
const stranger = Buffer.alloc(65_536, 8);
const store = {
  isGivenUp: () => Promise.resolve(false),
  requireOwner: () => Promise.resolve(),
  noteAttempt: () => Promise.resolve(),
  parts: () => Promise.resolve(undefined),
} as Partial<JobStore> as JobStore;

let top: string;
let copy: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-transfer-'));
  copy = join(top, 'destination/file');
  mkdirSync(join(top, 'source'));
  mkdirSync(join(top, 'destination'));
  writeFileSync(join(top, 'source/file'), content);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

/** Copies the file, planned so, under a claim of this number. */
async function transferred(
  options: { existing: Existing; direct: boolean; live?: boolean },
  plan: Pick<FileUnit, 'decision' | 'reason' | 'replaces'>,
  claim: number,
  destination: Storage = disk,
) {
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  const spec = parseJobSpec({ source: `local:${from}`, destination: `local:${to}`, options });
  const job = newJob('job', spec, [{ source: from, destination: to, kind: 'directory' }], 0);
  const { modifiedAtMs = 0 } = (await disk.stat(join(from, 'file'), signal)) ?? {};
  const about = { root: 0, path: 'file', lengthBytes: content.length, modifiedAtMs, blockBytes: 2 ** 27 };
  const unit: FileUnit = { kind: 'file', ...about, ...plan };
  const progress = new Progress();
  const context = { job, source: disk, destination, store, owner: 'owner', progress, log: silentLog, signal };
  const taken = { claim, attempts: 0, swept: claim - 1, done: new Set<number>() };
  return transfer(context, 0, 0, unit, taken);
}

describe('what was no directory when it was planned, and is one by now, fails', () => {
  it.each<[string, Existing, Pick<FileUnit, 'decision' | 'reason'>, number]>([
    ['a file that was refused', 'update', { decision: 'fail', reason: 'it vanished before it was copied' }, 1],
    ['a file that was skipped', 'update', { decision: 'skip', reason: 'exists' }, 1],
    ['a file that was to be copied', 'fail', { decision: 'copy' }, 2],
  ])('%s', async (_, existing, plan, claim) => {
    rmSync(join(top, 'source/file'));
    mkdirSync(join(top, 'source/file'));
    const outcome = await transferred({ existing, direct: false }, plan, claim);
    expect(outcome).toMatchObject({ outcome: 'failed', failure: { operation: 'PLAN' } });
    expect(outcome).toHaveProperty(
      'failure.reason',
      expect.stringContaining('a directory stands at the source by now'),
    );
  });
});

describe('a job over a source that is in use', () => {
  const plan = { decision: 'overwrite' } as const;
  const copyLive = (live: boolean, claim = 1, planned: Pick<FileUnit, 'decision' | 'reason'> = plan) =>
    transferred({ existing: 'update', direct: false, live }, planned, claim);

  it.each([true, false])('has a file that vanished, live: %s, and the old one stays', async (live) => {
    writeFileSync(copy, stranger);
    rmSync(join(top, 'source/file'));
    expect(await copyLive(live)).toMatchObject({
      outcome: live ? 'vanished' : 'failed',
      bytes: content.length,
      failure: { overtaken: 'vanished', path: join(top, 'source/file') },
    });
    expect(readFileSync(copy)).toEqual(stranger);
    expect(readdirSync(join(top, 'destination'))).toEqual(['file']);
  });

  it.each([true, false])('has a directory in place of a file, live: %s', async (live) => {
    rmSync(join(top, 'source/file'));
    mkdirSync(join(top, 'source/file'));
    const outcome = await copyLive(live, 2);
    expect(outcome).toMatchObject({ outcome: live ? 'changed' : 'failed', failure: { overtaken: 'changed' } });
  });

  it('has failures of other kinds', async () => {
    const planned = { decision: 'fail', reason: 'a directory stands at the destination' } as const;
    mkdirSync(copy);
    expect(await copyLive(true, 1, planned)).not.toHaveProperty('failure.overtaken');
    expect(await copyLive(true, 1, planned)).toMatchObject({ outcome: 'failed' });
  });
});

/** A destination whose first write breaks off, having left `left` under the name; the first deletions fail. */
function breaking(left: Uint8Array): Storage {
  let writes = 0;
  let deletions = 0;
  return decorated(disk, {
    async write(path, body, options, both) {
      if (++writes > 1) return disk.write(path, body, options, both);
      await body[Symbol.asyncIterator]().next();
      writeFileSync(path, left);
      throw new TransportError('the connection broke', { operation: 'CREATE', path }, {});
    },
    delete(path) {
      if (++deletions > 20) return disk.delete(path);
      return Promise.reject(new TransportError('the namenode is away', { operation: 'DELETE', path }, {}));
    },
  });
}

describe('a try under the final name that broke off and could not be deleted', () => {
  const plan = { decision: 'copy' } as const;

  it.each<Existing>(['fail', 'skip', 'update'])('is replaced by the next one: existing %s', async (existing) => {
    const outcome = await transferred({ existing, direct: true }, plan, 1, breaking(part));
    expect(outcome.outcome).toBe('copied');
    expect(readFileSync(copy)).toEqual(content);
  });

  it.each<Existing>(['fail', 'skip'])(
    'fails the file where others may have written it: existing %s',
    async (existing) => {
      const outcome = await transferred({ existing, direct: true }, plan, 1, breaking(stranger));
      expect(outcome.outcome).toBe('failed');
      expect(readFileSync(copy)).toEqual(stranger);
    },
  );
});

describe('what stands at the destination after an earlier claim', () => {
  const refused = { decision: 'fail', reason: 'exists and differs in length' } as const;
  const taken = { decision: 'skip', reason: 'exists' } as const;
  const absent = { decision: 'copy' } as const;
  const standing = async () => (await disk.stat(copy, signal))?.fileId ?? 0;

  it.each([
    ['a refused file', refused, 'skip'],
    ['a refused file', refused, 'fail'],
    ['a skipped file', taken, 'fail'],
    ['a skipped file', taken, 'skip'],
    ['an absent file', absent, 'skip'],
  ] as const)('is replaced where it holds the beginning of %s: %o, existing %s', async (_, plan, existing) => {
    writeFileSync(copy, part);
    const replaces = plan === absent ? {} : { replaces: (await standing()) + 1 };
    const outcome = await transferred({ existing, direct: true }, { ...plan, ...replaces }, 3);
    expect(outcome.outcome).toBe('copied');
    expect(readFileSync(copy)).toEqual(content);
  });

  it.each([
    ['the file that was planned', part, 0, 3],
    ['a file that holds something else', stranger, 1, 3],
    ['a file that came before any claim', part, 1, 1],
  ] as const)('stays where it is %s', async (_, there, other, claim) => {
    writeFileSync(copy, there);
    const replaces = (await standing()) + other;
    const outcome = await transferred({ existing: 'skip', direct: true }, { ...refused, replaces }, claim);
    expect(outcome).toMatchObject({ outcome: 'skipped', reason: 'exists' });
    expect(readFileSync(copy)).toEqual(there);
  });

  it('counts as copied where it is whole, although such files are skipped now', async () => {
    writeFileSync(copy, content);
    const replaces = (await standing()) + 1;
    const outcome = await transferred({ existing: 'skip', direct: false }, { ...refused, replaces }, 2);
    expect(outcome.outcome).toBe('copied');
  });

  it('is looked for: a file that was planned as skipped, and is gone, is copied', async () => {
    const outcome = await transferred({ existing: 'skip', direct: false }, { ...taken, replaces: 1 }, 2);
    expect(outcome.outcome).toBe('copied');
    expect(readFileSync(copy)).toEqual(content);
  });
});
