import { expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { transfer } from '../../../../shared/copy/transfer.ts';
import type { JobStore } from '../../../../shared/job/job-store.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { type JobOptions, parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { silentLog } from '../../../../shared/log.ts';
import { never } from '../../../support/files.ts';
import { RoundTrips } from '../../../support/round-trips.ts';
import { clientOf, type GivenAnswer, redirect, remoteException } from '../../../support/scripted-server.ts';

const content = 'x'.repeat(1000);
const checksum: GivenAnswer = {
  json: { FileChecksum: { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes: 'ab'.repeat(28), length: 28 } },
};
const store = {
  isGivenUp: () => Promise.resolve(false),
  requireOwner: () => Promise.resolve(),
  noteAttempt: () => Promise.resolve(),
} as Partial<JobStore> as JobStore;

/** A cluster of one namenode and one datanode, which ends every connection after its answer, as Hadoop's do. */
async function cluster(trips: RoundTrips, name: string, changes: Readonly<Record<string, GivenAnswer>> = {}) {
  const headers = { connection: 'close' };
  const answers: Readonly<Record<string, GivenAnswer>> = {
    OPEN: { text: content, headers },
    CREATE: { status: 201, headers },
    GETFILECHECKSUM: { ...checksum, headers },
    ...changes,
  };
  const datanode = await trips.server(`${name}'s datanode`, (operation) => answers[operation] ?? { status: 500 });
  return trips.server(name, (operation, url) => {
    switch (operation) {
      case 'GETSERVERDEFAULTS':
        return { json: { FsServerDefaults: { blockSize: 2 ** 27, bytesPerChecksum: 512, checksumType: 2 } } };
      case 'GET_BLOCK_LOCATIONS':
        return { json: { LocatedBlocks: { fileLength: content.length, isUnderConstruction: false } } };
      case 'RENAME':
      case 'SETPERMISSION':
        return {};
      case 'DELETE':
        return { json: { boolean: true } };
      case 'WHICHSERVER':
        return remoteException('IllegalArgumentException', 'Invalid value for webhdfs parameter "op"', 400);
      default:
        return redirect(`${datanode}${url}&namenoderpcaddress=nn:8020`);
    }
  });
}

/** Copies two files, one after the other, between two clusters, of which the second is looked at: by then the clusters are known. */
async function trips(
  options: Partial<JobOptions>,
  plan: Partial<FileUnit> = {},
  changes: Readonly<Record<string, GivenAnswer>> = {},
) {
  await using rounds = new RoundTrips();
  await using source = clientOf([await cluster(rounds, 'A')]);
  await using destination = clientOf([await cluster(rounds, 'B', changes)]);
  const spec = parseJobSpec({ source: 'a:/from', destination: 'b:/to', options });
  const job = newJob('job', spec, [{ source: '/from', destination: '/to', kind: 'directory' }], 0);
  const progress = new Progress();
  const context = { job, source, destination, store, owner: 'owner', progress, log: silentLog, signal: never };
  const copy = (path: string) => {
    const about = { root: 0, path, lengthBytes: content.length, modifiedAtMs: 1, blockBytes: 2 ** 27 };
    const unit: FileUnit = { kind: 'file', decision: 'copy', ...about, ...plan };
    const claim = { claim: 1, attempts: 0, swept: 0, done: new Set<number>() };
    return rounds.during(() => transfer(context, 0, 0, unit, claim));
  };
  await copy('first');
  const { outcome } = await copy('second');
  const byRound: string[] = [];
  for (const { round, asked } of rounds.trips) byRound[round] = [byRound[round] ?? [], asked].flat().sort().join(', ');
  for (const name of ['A', 'B']) await expect.poll(() => rounds.connections(`${name}'s datanode`)).toBe(0);
  return { outcome, rounds: [...byRound].slice(1).map((asked: string | undefined) => asked ?? 'connect') };
}

it('copies a new file in six round trips, of which two prove it and one gives it its name', async () => {
  expect(await trips({})).toEqual({
    outcome: 'copied',
    rounds: [
      'CREATE at B, OPEN at A',
      'connect',
      "OPEN at A's datanode",
      "CREATE at B's datanode",
      "GETFILECHECKSUM at A's datanode, GETFILECHECKSUM at B's datanode",
      'RENAME at B',
    ],
  });
});

it('copies a file in place of another in as many', async () => {
  const { outcome, rounds } = await trips({ existing: 'overwrite' }, { decision: 'overwrite' });
  expect({ outcome, rounds: rounds.length }).toEqual({ outcome: 'copied', rounds: 6 });
});

it('asks for no checksum, and makes no connection for one, where nothing is to be proved', async () => {
  const { outcome, rounds } = await trips({ verify: 'none' });
  expect({ outcome, rounds: rounds.slice(3) }).toEqual({
    outcome: 'copied',
    rounds: ["CREATE at B's datanode", 'RENAME at B'],
  });
});

it('leaves no connection open that was made for a checksum, where the destination refuses the bytes', async () => {
  const refusal = remoteException('DSQuotaExceededException', 'The DiskSpace quota of /to is exceeded');
  const { outcome, rounds } = await trips({}, {}, { CREATE: { ...refusal, headers: { connection: 'close' } } });
  expect(outcome).toBe('failed');
  expect(rounds.join()).not.toMatch(/CHECKSUM/);
});
