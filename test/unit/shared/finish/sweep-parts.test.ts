import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileCopy } from '../../../../shared/copy/file-copy.ts';
import { openParts, withPart } from '../../../../shared/copy/parts-file.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { finish } from '../../../../shared/finish/finish.ts';
import { sweepParts } from '../../../../shared/finish/sweep-parts.ts';
import type { Recorded } from '../../../../shared/job/outcome.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { ManifestFile } from '../../../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../../../shared/machine/sqlite-job-store.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { errorOf, never } from '../../../support/files.ts';
import { copied, failed, newJob } from '../../../support/outcomes.ts';

const disk = new LocalDisk(65_536);
/** Shorter than a part when it was planned. */
const unit: FileUnit = {
  kind: 'file',
  root: 0,
  path: 'long',
  lengthBytes: 900,
  modifiedAtMs: 1,
  blockBytes: 0,
  decision: 'copy',
};

let directory: string;
let store: SqliteJobStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-parts-'));
  store = new SqliteJobStore(join(directory, 'jobs.db'));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

/** A job of one file that grew to more than a part after it was planned. */
async function world(options: object = {}) {
  const out = join(directory, 'out');
  mkdirSync(out);
  const spec = parseJobSpec({
    source: 'local:/in',
    destination: 'local:/out',
    options: { chunkSize: 2 ** 20, ...options },
  });
  const roots = [{ source: '/in', destination: out, kind: 'directory' as const }];
  const job = newJob({ spec, roots, phase: 'copying', expectedFiles: 1 });
  await store.create(job);
  const manifests = new ManifestFile(join(directory, 'manifests'));
  const manifest = await manifests.create(job.id);
  await manifest.append({ batch: 0, units: [unit] });
  await manifest.close();
  const shared = { job, source: disk, store, progress: new Progress(), log: silentLog, signal: never };
  const open = async (owner: string, attempt: number, destination: Storage = disk) => {
    const claim = await store.claim(job.id, 0, owner);
    const file = new FileCopy({ ...shared, destination, owner }, 0, 0, unit, claim);
    file.unit = { ...unit, lengthBytes: 2 ** 21 };
    return { file, opened: openParts(file, undefined, attempt) };
  };
  const sweeping = { job, store, manifests, destination: disk, signal: never, isOver: () => false };
  const end = (outcome: Recorded) => store.record(job.id, 0, 'second', [outcome]);
  const finishing = {
    ...sweeping,
    ...{ source: disk, deaths: undefined, owner: 'finisher', log: silentLog, onOutcome: () => undefined },
    assemble: () => Promise.reject(new Error('no file goes in chunks')),
  };
  return { out, open, sweeping, end, finishing };
}

/** @returns what a killed copier's CREATE, which comes late, is to make; and the file that another copier has begun since */
async function late(of: Awaited<ReturnType<typeof world>>) {
  let name = '';
  const lost = decorated(disk, { write: (path) => ((name = path), Promise.reject(new Error('killed'))) });
  const { opened } = await of.open('first', 0, lost);
  expect(await errorOf(opened)).toMatchObject({ message: 'killed' });
  const second = await of.open('second', 0);
  const written = await withPart(second.file, await second.opened, {
    lengthBytes: 2 ** 20,
    blocks: {},
    verification: 'checksum',
  });
  return { name, written };
}

it('what comes late of a killed copier of a file in parts is deleted at the end of its job', async () => {
  const of = await world();
  const { name, written } = await late(of);
  writeFileSync(name, '');
  renameSync(written.path, join(of.out, 'long'));
  await of.end(copied(0));
  expect(await finish(of.finishing)).toMatchObject({ outcome: 'Successful' });
  expect(readdirSync(of.out)).toEqual(['long']);
});

it('what stands of a file in parts that failed is gone on with, and not with what came late', async () => {
  const of = await world();
  const { name, written } = await late(of);
  writeFileSync(name, '');
  await of.end(failed(0));
  await finish(of.finishing);
  expect(existsSync(written.path)).toBe(true);
  // It must hold as many bytes as its part.
  writeFileSync(written.path, Buffer.alloc(2 ** 20));
  const third = await of.open('third', 0);
  expect((await third.opened).known.parts).toHaveLength(1);
});

it.each([
  ['gets its name again', undefined],
  ['goes where another has its name by now', 'newer'],
])('an old file that a failed file in parts has moved aside %s', async (_, newer) => {
  const of = await world({ existing: 'overwrite' });
  const { file, opened } = await of.open('second', 0);
  const written = await withPart(file, await opened, { lengthBytes: 2 ** 20, blocks: {}, verification: 'checksum' });
  // As a promotion leaves it that an outage cut short, and that could not be taken back in time.
  writeFileSync(`${written.path}.old`, 'old');
  if (newer !== undefined) writeFileSync(join(of.out, 'long'), newer);
  await of.end(failed(0));
  const inThreeSteps = decorated(disk, { replacesAtOnce: () => Promise.resolve(false) });
  expect(await finish({ ...of.finishing, destination: inThreeSteps })).toMatchObject({ outcome: 'Failed' });
  expect(readFileSync(join(of.out, 'long'), 'utf8')).toBe(newer ?? 'old');
  expect(readdirSync(of.out).sort()).toEqual([basename(written.path), 'long']);
});

it('a file that went in parts since it grew is swept, however short it was planned', async () => {
  const of = await world();
  const { name } = await late(of);
  writeFileSync(name, '');
  await sweepParts(of.sweeping);
  expect(readdirSync(of.out)).toEqual([]);
});
