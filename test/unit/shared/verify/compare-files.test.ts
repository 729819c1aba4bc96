import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { UnavailableError } from '../../../../shared/errors.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import { compareFiles } from '../../../../shared/verify/compare-files.ts';
import type { VerifyLevel } from '../../../../shared/job/verification.ts';
import { errorOf, never } from '../../../support/files.ts';

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-compare-'));
afterAll(() => rmSync(top, { recursive: true }));

/** A disk on which something happens before a file is read, or looked at again: it gets how often that was. */
class Eventful extends LocalDisk {
  readonly #before: Partial<Record<'read' | 'stat', (time: number) => void>>;
  readonly times = { read: 0, stat: 0 };

  constructor(before: Partial<Record<'read' | 'stat', (time: number) => void>> = {}) {
    super(65_536);
    this.#before = before;
  }

  override async stat(path: string, signal: AbortSignal) {
    this.#before.stat?.(++this.times.stat);
    return super.stat(path, signal);
  }

  override async read(...[path, range, signal]: Parameters<LocalDisk['read']>) {
    this.#before.read?.(++this.times.read);
    return super.read(path, range, signal);
  }
}

const [sourcePath, destinationPath] = [join(top, 'source'), join(top, 'destination')];
const where = { operation: 'OPEN', path: sourcePath };

async function compared(source: Eventful, texts: readonly [string, string], level: VerifyLevel = 'checksum') {
  writeFileSync(sourcePath, texts[0]);
  writeFileSync(destinationPath, texts[1]);
  const destination = new LocalDisk(65_536);
  const status = await new LocalDisk(65_536).stat(sourcePath, never);
  const there = await destination.stat(destinationPath, never);
  if (!status || !there) throw new Error('they were not written');
  return compareFiles({ source, sourcePath, status, destination, destinationPath, there }, level, never);
}

it.each(['checksum', 'read-back'] as const)('at %s what is read decides where nothing is stored', async (level) => {
  expect(await compared(new Eventful(), ['same', 'same'], level)).toEqual({ type: 'equal', proof: 'read-back' });
  const differs = { type: 'different', by: 'content', sourceBytes: 5, destinationBytes: 5 };
  expect(await compared(new Eventful(), ['bytes', 'BYTES'], level)).toEqual(differs);
  expect(await compared(new Eventful(), ['', ''], level)).toEqual({ type: 'equal', proof: level });
});

it('at size nothing is read, and nothing looked at again', async () => {
  const source = new Eventful();
  expect(await compared(source, ['bytes', 'BYTES'], 'size')).toEqual({ type: 'equal', proof: 'length' });
  expect(await compared(source, ['short', 'longer'], 'size')).toMatchObject({ type: 'different', by: 'length' });
  expect(source.times).toEqual({ read: 0, stat: 0 });
});

it('what has changed before its difference is told is compared again', async () => {
  const source = new Eventful({ stat: (time) => time === 1 && writeFileSync(sourcePath, 'as it will be') });
  expect(await compared(source, ['as it was', 'as it will be'])).toEqual({ type: 'equal', proof: 'read-back' });
});

it.each([
  ['another content each time', ['0', '1']],
  ['another length each time', ['0', '12345678']],
] as const)('what has %s is unknown, after a few looks', async (what, texts) => {
  const changes = (time: number) => {
    if (what.includes('length')) appendFileSync(sourcePath, 'x');
    else writeFileSync(sourcePath, `${time + 1}`);
    // Two changes may come within a millisecond.
    utimesSync(sourcePath, time, time);
  };
  const source = new Eventful({ stat: changes });
  expect(await compared(source, texts)).toMatchObject({
    type: 'unknown',
    reason: expect.stringContaining('it changed while it was compared') as string,
  });
  expect(source.times.stat).toBe(3);
});

it('what has vanished is unknown', async () => {
  const source = new Eventful({ read: () => rmSync(sourcePath) });
  expect(await compared(source, ['same', 'same'])).toMatchObject({ type: 'unknown' });
});

it('a read that fails is tried again where that may help, and else tells why it is unknown', async () => {
  const fails = (code: 'io' | 'denied', times: number) => (time: number) => {
    if (time <= times) throw new StorageError(code, 'IOException', 'it failed', where);
  };
  expect(await compared(new Eventful({ read: fails('io', 1) }), ['same', 'same'])).toMatchObject({ type: 'equal' });
  const denied = new Eventful({ read: fails('denied', 1) });
  expect(await compared(denied, ['same', 'same'])).toMatchObject({
    type: 'unknown',
    reason: expect.stringContaining(`OPEN ${sourcePath}: IOException: it failed`) as string,
  });
  expect(denied.times.read).toBe(1);
});

it('a cluster that is gone ends all of it', async () => {
  const source = new Eventful({
    read: () => {
      throw new UnavailableError('nobody answers', where, undefined, undefined);
    },
  });
  expect(await errorOf(compared(source, ['same', 'same']))).toBeInstanceOf(UnavailableError);
});
