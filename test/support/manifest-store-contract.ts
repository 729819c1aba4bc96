import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManifestPosition } from '../../shared/job/manifest-lines.ts';
import type { ManifestStore } from '../../shared/job/manifest.ts';
import { allOf, errorOf } from './files.ts';
import { oddNames } from './odd-tree.ts';
import type { Batch } from '../../shared/job/unit.ts';

export interface OpenManifests extends AsyncDisposable {
  readonly store: ManifestStore;
}

function batchOf(batch: number, paths: readonly string[]): Batch {
  const unit = {
    kind: 'file' as const,
    root: 0,
    lengthBytes: 1,
    modifiedAtMs: 1,
    blockBytes: 1024,
    decision: 'copy' as const,
  };
  return { batch, units: paths.map((path) => ({ ...unit, path })) };
}

/** What every ManifestStore must do. */
export function manifestStoreContract(name: string, open: () => Promise<OpenManifests>): void {
  describe(`${name} as a ManifestStore`, () => {
    let place: OpenManifests;
    beforeAll(async () => {
      place = await open();
    });
    afterAll(() => place[Symbol.asyncDispose]());

    const write = async (job: string, batches: readonly Batch[]) => {
      const writer = await place.store.create(job);
      for (const batch of batches) await writer.append(batch);
      await writer.close();
    };
    const read = async (job: string, from?: ManifestPosition): Promise<Batch[]> =>
      (await allOf(place.store.read(job, from))).map(({ batch, units }) => ({ batch, units }));

    it('gives batches back in the order in which they were appended', async () => {
      const job = randomUUID();
      const batches = Array.from({ length: 300 }, (_, index) => batchOf(index, [`a/${index}`, 'b']));
      await write(job, batches);
      expect(await read(job)).toEqual(batches);
    });

    it('gives nothing of a job without a batch', async () => {
      const job = randomUUID();
      await write(job, []);
      expect(await read(job)).toEqual([]);
    });

    it.each([
      ...oddNames,
      'carriage\rreturn',
      'line\u2028separator',
      'paragraph\u2029separator',
      'next\u0085line',
      '\u{10ffff}',
    ])('keeps the name %j', async (odd) => {
      const job = randomUUID();
      await write(job, [batchOf(0, [odd, `${odd}/${odd}`])]);
      expect(await read(job)).toEqual([batchOf(0, [odd, `${odd}/${odd}`])]);
    });

    it('keeps every field of a unit', async () => {
      const job = randomUUID();
      const attributes = {
        owner: 'o',
        group: 'g',
        permission: '1777',
        accessedAtMs: 5,
        modifiedAtMs: 6,
        replication: 2,
        hasAcl: true,
      };
      const [unit] = batchOf(0, ['path']).units;
      if (!unit) throw new Error('no unit');
      const full = {
        ...unit,
        to: 'flat',
        lengthBytes: 2 ** 50,
        reason: 'a "reason"',
        encrypted: true as const,
        replaces: 16_390,
        attributes,
      };
      await write(job, [{ batch: 0, units: [full] }]);
      expect(await read(job)).toEqual([{ batch: 0, units: [full] }]);
    });

    it('keeps lines of any length', async () => {
      const job = randomUUID();
      const batches = [1, 1000, 1, 700].map((count, index) =>
        batchOf(
          index,
          Array.from({ length: count }, (_, unit) => `${'é😀'.repeat(100)}/${unit}`),
        ),
      );
      await write(job, batches);
      expect(await read(job)).toEqual(batches);
    });

    it('keeps batches whole that are appended at once, in the order of the calls', async () => {
      const job = randomUUID();
      const writer = await place.store.create(job);
      const batches = Array.from({ length: 40 }, (_, index) =>
        batchOf(
          index,
          Array.from({ length: 1 + (index % 5) * 200 }, (_, unit) => `${index}/${'x'.repeat(100)}/${unit}`),
        ),
      );
      await Promise.all(batches.map((batch) => writer.append(batch)));
      await writer.close();
      expect(await read(job)).toEqual(batches);
    });

    it('cannot be read before it is closed, and then as a whole', async () => {
      const job = randomUUID();
      const writer = await place.store.create(job);
      await writer.append(batchOf(0, ['a']));
      expect(await errorOf(read(job))).toBeInstanceOf(Error);
      await writer.append(batchOf(1, ['b']));
      await writer.close();
      expect(await read(job)).toEqual([batchOf(0, ['a']), batchOf(1, ['b'])]);
    });

    it('cannot be read when there is none', async () => {
      expect(await errorOf(read(randomUUID()))).toBeInstanceOf(Error);
    });

    it('starts anew after an interrupted planning', async () => {
      const job = randomUUID();
      const interrupted = await place.store.create(job);
      await interrupted.append(batchOf(0, ['old', 'and', 'longer than what comes']));
      await write(job, [batchOf(0, ['new'])]);
      expect(await read(job)).toEqual([batchOf(0, ['new'])]);
      await interrupted.discard();
      expect(await read(job)).toEqual([batchOf(0, ['new'])]);
    });

    it('is gone when it is discarded or removed', async () => {
      const job = randomUUID();
      const writer = await place.store.create(job);
      await writer.append(batchOf(0, ['a']));
      await writer.discard();
      expect(await errorOf(read(job))).toBeInstanceOf(Error);
      await write(job, [batchOf(0, ['a'])]);
      await place.store.remove(job);
      expect(await errorOf(read(job))).toBeInstanceOf(Error);
      await place.store.remove(job);
    });

    it('can be read from between any two lines, and tells how many units a line has', async () => {
      const job = randomUUID();
      const batches = Array.from({ length: 6 }, (_, index) =>
        batchOf(index, [`é${index}`, ...Array.from({ length: index }, () => 'b')]),
      );
      await write(job, batches);
      const lines = await allOf(place.store.read(job));
      expect(lines.map(({ count }) => count)).toEqual([1, 2, 3, 4, 5, 6]);
      for (const { batch, position, next } of lines) {
        expect(await read(job, position)).toEqual(batches.slice(batch));
        expect(await read(job, next)).toEqual(batches.slice(batch + 1));
      }
    });

    it('can be read by several at once, and left before its end', async () => {
      const job = randomUUID();
      const batches = Array.from({ length: 50 }, (_, index) => batchOf(index, ['x'.repeat(10_000)]));
      await write(job, batches);
      for await (const batch of place.store.read(job)) if (batch.batch === 3) break;
      const all = await Promise.all([read(job), read(job)]);
      expect(all.map((found) => found.length)).toEqual([50, 50]);
    });

    it('keeps jobs apart', async () => {
      const [one, other] = [randomUUID(), randomUUID()];
      await write(one, [batchOf(0, ['one'])]);
      await write(other, [batchOf(0, ['other'])]);
      await place.store.remove(other);
      expect(await read(one)).toEqual([batchOf(0, ['one'])]);
    });
  });
}
