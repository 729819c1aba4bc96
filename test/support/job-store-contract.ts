import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copied, copiedChunk, countersIn, failed, failedChunk, newJob, overtaken, skipped } from './outcomes.ts';
import { interleavingsContract } from './job-store-interleavings.ts';
import { allOf } from './files.ts';
import { FARTHEST_MS } from '../../shared/limits/leases.ts';
import { FIRST_DELETE_BATCH } from '../../shared/job/deletion.ts';
import type { Job } from '../../shared/job/job.ts';
import type { JobSpec } from '../../shared/job/spec.ts';
import type { Claim, JobStore } from '../../shared/job/job-store.ts';

/** A store's data, to which one may connect many times. */
export interface Stores extends AsyncDisposable {
  connect(): JobStore;
}

/** A claim with a set that can be compared. */
const plain = <T extends Claim>(claim: T) => ({ ...claim, done: new Set(claim.done) });

/** What every JobStore must do. `open` gives one that may hold other jobs already. */
export function jobStoreContract(name: string, open: () => Promise<Stores>): void {
  describe(`${name} as a JobStore`, () => {
    let stores: Stores;
    let store: JobStore;
    beforeAll(async () => {
      stores = await open();
      store = stores.connect();
    });
    afterAll(() => stores[Symbol.asyncDispose]());

    const make = async (changes: Partial<Job> = {}) => {
      const job = newJob(changes);
      await store.create(job);
      return job.id;
    };
    const claims = async (id: string, from?: number) =>
      (await allOf(store.claims(id, from))).map((claim) => ({ ...plain(claim), clean: new Set(claim.clean) }));
    const claim = async (id: string, batch: number, owner: string) => plain(await store.claim(id, batch, owner));

    describe('jobs', () => {
      it('gives back what was kept', async () => {
        const job = newJob({
          roots: [{ source: '/in', destination: '/out', kind: 'directory' }],
          expectedBytes: 2 ** 50,
          directoryWarnings: { owner: 2 },
          error: 'a line with "quotes", a newline \n and 😀',
        });
        await store.create(job);
        expect(await store.get(job.id)).toEqual(job);
      });

      it('knows nothing of a job that was not made', async () => {
        expect(await store.get('no-such-job')).toBeUndefined();
        await expect(store.update('no-such-job', { phase: 'done' })).rejects.toThrow('no-such-job');
        expect(await store.get('no-such-job')).toBeUndefined();
      });

      it('changes the options that are named and no others, also when two change theirs at once', async () => {
        const id = await make({ phase: 'copying' });
        const before = await store.get(id);
        const other = stores.connect();
        await Promise.all([
          store.setOptions(id, { bandwidth: '5M' }),
          other.setOptions(id, { namenodeOps: 7, threads: 3 }),
          store.update(id, { expectedFiles: 9 }),
        ]);
        const options = { ...before?.spec.options, bandwidth: '5M', namenodeOps: 7, threads: 3 };
        expect(await store.get(id)).toEqual({ ...before, expectedFiles: 9, spec: { ...before?.spec, options } });
        await store.setOptions(id, { bandwidth: 'off' });
        expect((await store.get(id))?.spec.options).toEqual({ ...options, bandwidth: 'off' });
        await expect(store.setOptions('no-such-job', { threads: 1 })).rejects.toThrow('no-such-job');
        expect(await store.get('no-such-job')).toBeUndefined();
      });

      it('refuses a second job of the same name, and the first stays', async () => {
        const id = await make({ phase: 'copying' });
        await expect(async () => store.create(newJob({ id }))).rejects.toThrow();
        expect(await store.get(id)).toMatchObject({ phase: 'copying' });
      });

      it('changes what it is told to and keeps the rest', async () => {
        const id = await make({ error: 'earlier', endedAtMs: 5, expectedFiles: 7 });
        await store.update(id, { phase: 'copying', error: undefined, endedAtMs: undefined });
        const { phase, error, endedAtMs, expectedFiles } = (await store.get(id)) ?? newJob();
        expect({ phase, error, endedAtMs, expectedFiles }).toEqual({
          phase: 'copying',
          error: undefined,
          endedAtMs: undefined,
          expectedFiles: 7,
        });
      });

      it('changes what was asked for as well', async () => {
        const id = await make();
        const { spec } = newJob();
        const updating = { ...spec, options: { ...spec.options, existing: 'update' as const } };
        await store.update(id, { spec: updating });
        expect((await store.get(id))?.spec).toEqual(updating);
      });

      it('gives a job that an earlier version stored as it would be stored now', async () => {
        const { spec } = newJob();
        const { existing: _, ...options } = spec.options;
        const earlier = { ...spec, options: { ...options, force: true, checksum: false } };
        const id = await make({ spec: earlier as unknown as JobSpec, startedAtMs: Date.now() + 500_000_000 });
        const now = { ...spec, options: { ...options, existing: 'overwrite' } };
        expect((await store.get(id))?.spec).toEqual(now);
        expect((await store.list(1))[0]).toMatchObject({ id, spec: now });
      });

      it('keeps both of two changes at once', async () => {
        const id = await make();
        await Promise.all([store.update(id, { expectedFiles: 3 }), store.update(id, { phase: 'finishing' })]);
        expect(await store.get(id)).toMatchObject({ expectedFiles: 3, phase: 'finishing' });
      });

      it('lists the newest first, as many as asked for', async () => {
        const startedAtMs = Date.now() + 1_000_000_000;
        const ids = [await make({ startedAtMs }), await make({ startedAtMs: startedAtMs + 2 })];
        ids.push(await make({ startedAtMs: startedAtMs + 1 }));
        const listed = await store.list(3);
        expect(listed.map(({ id }) => id)).toEqual([ids[1], ids[2], ids[0]]);
        expect(await store.list(1)).toEqual(listed.slice(0, 1));
      });
    });

    describe('leases', () => {
      const budget = () => `job/${randomUUID()}/bytes`;
      const nowMs = 1_800_000_000_000;

      it('begin now, and each after the other', async () => {
        const name = budget();
        expect(await store.lease(name, 1000, nowMs)).toEqual({ startAtMs: nowMs, count: 1 });
        expect(await store.lease(name, 250, nowMs)).toEqual({ startAtMs: nowMs + 1000, count: 2 });
        expect(await store.lease(name, 0.5, nowMs + 800)).toEqual({ startAtMs: nowMs + 1250, count: 3 });
        expect(await store.lease(name, 1, nowMs + 1250.5)).toEqual({ startAtMs: nowMs + 1250.5, count: 4 });
      });

      it('begin now after a pause: what nobody leased is lost', async () => {
        const name = budget();
        await store.lease(name, 1000, nowMs);
        expect(await store.lease(name, 1000, nowMs + 5000)).toEqual({ startAtMs: nowMs + 5000, count: 2 });
        expect(await store.lease(name, 1000, nowMs + 5001)).toEqual({ startAtMs: nowMs + 6000, count: 3 });
      });

      it('begin now where a clock that was wrong leased the far future', async () => {
        const name = budget();
        await store.lease(name, 1000, nowMs + 2 * FARTHEST_MS);
        expect(await store.lease(name, 1000, nowMs)).toEqual({ startAtMs: nowMs, count: 2 });
      });

      it('of one budget are none of another’s', async () => {
        const [one, other] = [budget(), budget()];
        await store.lease(one, 60_000, nowMs);
        expect(await store.lease(other, 1000, nowMs)).toEqual({ startAtMs: nowMs, count: 1 });
      });

      it('never overlap, however many ask at once', async () => {
        const name = budget();
        const holders = [stores.connect(), stores.connect(), stores.connect()];
        const leases = await Promise.all(
          Array.from({ length: 30 }, (_, index) => (holders[index % 3] ?? store).lease(name, 10, nowMs + (index % 7))),
        );
        const starts = leases.map(({ startAtMs }) => startAtMs).sort((a, b) => a - b);
        for (const [index, start] of starts.slice(1).entries())
          expect(start - (starts[index] ?? 0)).toBeGreaterThanOrEqual(10);
        expect(new Set(leases.map(({ count }) => count)).size).toBe(30);
      });
    });

    describe('chunks', () => {
      it('are kept by their file, each with its last outcome, and counted for themselves', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.claim(id, 7, 'me');
        await store.record(id, 0, 'me', [copiedChunk(0, 1, 0), failedChunk(1, 1, 1), copiedChunk(2, 12, 0)]);
        await store.record(id, 7, 'me', [copiedChunk(0, 1, 10), copied(1)]);
        const kept = (await store.chunks(id, 1)).sort((a, b) => a.chunk - b.chunk);
        expect(kept).toEqual([
          { ...copiedChunk(0, 1, 0), batch: 0 },
          { ...failedChunk(1, 1, 1), batch: 0 },
          { ...copiedChunk(0, 1, 10), batch: 7 },
        ]);
        // One that failed has no outcome, and is no failed file.
        expect(await claim(id, 0, 'you')).toMatchObject({ done: new Set([0, 2]) });
        expect(await store.failures(id, 10)).toEqual([]);
        const counters = await store.counters(id);
        expect(counters.get('chunks.bytes')).toBe(3000);
        expect(counters.get('files.copied')).toBe(1);
        expect(counters.get('files.failed')).toBeUndefined();
        await store.record(id, 0, 'you', [copiedChunk(0, 1, 0), copiedChunk(1, 1, 1)]);
        expect(await store.chunks(id, 1)).toContainEqual({ ...copiedChunk(1, 1, 1), batch: 0 });
        expect((await store.counters(id)).get('chunks.bytes')).toBe(4000);
      });

      it('of one file are taken back together, with what was counted of them', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.claim(id, 1, 'me');
        await store.record(id, 0, 'me', [copiedChunk(0, 1, 0), copiedChunk(1, 2, 0), failedChunk(2, 1, 2)]);
        await store.record(id, 1, 'me', [copiedChunk(0, 1, 1)]);
        await store.reopenChunks(id, 1);
        await store.reopenChunks(id, 1);
        expect(await store.chunks(id, 1)).toEqual([]);
        expect(await store.chunks(id, 2)).toHaveLength(1);
        expect((await store.counters(id)).get('chunks.bytes')).toBe(1000);
        expect(await claim(id, 0, 'you')).toMatchObject({ done: new Set([1]) });
        expect(await claim(id, 1, 'you')).toMatchObject({ done: new Set() });
      });

      it('that are taken back are swept again, however clean they were', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.record(id, 0, 'me', [copiedChunk(0, 1, 0), copiedChunk(1, 1, 1), copied(2)]);
        expect(await claims(id)).toMatchObject([{ clean: new Set([0, 1, 2]) }]);
        await store.reopenChunks(id, 1);
        expect(await claims(id)).toMatchObject([{ done: new Set([2]), clean: new Set([2]) }]);
        await store.claim(id, 0, 'you');
        await store.record(id, 0, 'you', [copiedChunk(0, 1, 0)]);
        expect(await claims(id)).toMatchObject([{ done: new Set([0, 2]), clean: new Set([2]) }]);
      });

      it('are taken back one by one', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.record(id, 0, 'me', [copiedChunk(0, 1, 0), copiedChunk(1, 1, 1), copiedChunk(2, 1, 2)]);
        await store.reopenChunks(id, 1, new Set([1, 7]));
        expect((await store.chunks(id, 1)).map(({ chunk }) => chunk).sort()).toEqual([0, 2]);
        expect((await store.counters(id)).get('chunks.bytes')).toBe(2000);
        expect(await claim(id, 0, 'you')).toMatchObject({ done: new Set([0, 2]) });
      });

      it('of one file are given up for good, and taken back with that', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.record(id, 0, 'me', [copiedChunk(0, 1, 0), copiedChunk(1, 12, 0)]);
        await store.giveUpChunks(id, 1);
        await store.giveUpChunks(id, 1);
        const of = [1, 12, 2].map((split) => store.isGivenUp(id, split));
        expect(await Promise.all(of)).toEqual([true, false, false]);
        expect(await store.isGivenUp(await make(), 1)).toBe(false);
        expect(await store.chunks(id, 1)).toEqual([]);
        expect((await store.counters(id)).get('chunks.bytes')).toBe(1000);
        await store.reopenFailed(id);
        expect(await store.isGivenUp(id, 1)).toBe(true);
        expect(await claim(id, 0, 'you')).toMatchObject({ done: new Set([1]) });
      });

      it('that are not joined were refused before where another owner noted it', async () => {
        const id = await make();
        expect(await store.noteRefusal(id, 1, 'me')).toBe(false);
        expect(await store.noteRefusal(id, 1, 'me')).toBe(false);
        expect(await store.noteRefusal(id, 12, 'you')).toBe(false);
        expect(await store.noteRefusal(id, 1, 'you')).toBe(true);
        expect(await store.isGivenUp(id, 1)).toBe(false);
      });

      it('are read again with what was read before at hand, file by file', async () => {
        const id = await make();
        expect(await store.piecesRead(id, 1, 'one')).toEqual(new Map());
        for (const [piece, blocks] of [
          [0, 'AAAA'],
          [7, 'BBBB'],
          [10, 'CCCC'],
          [7, 'DDDD'],
        ] as const) {
          await store.keepPieceRead(id, 1, 'one', piece, blocks);
        }
        await store.keepPieceRead(id, 12, 'one', 3, 'EEEE');
        await store.keepPieceRead(id, 1, 'other', 10, 'FFFF');
        expect(await store.piecesRead(id, 1, 'one')).toEqual(
          new Map([
            [0, 'AAAA'],
            [7, 'DDDD'],
          ]),
        );
        expect(await store.piecesRead(id, 1, 'other')).toEqual(new Map([[10, 'FFFF']]));
        expect(await store.piecesRead(id, 2, 'one')).toEqual(new Map());
      });

      it.each([
        { how: 'are taken back', which: undefined, isForGood: false },
        { how: 'are taken back one by one', which: new Set([1]), isForGood: false },
        { how: 'are given up', which: undefined, isForGood: true },
      ])('that $how take what was read again with them', async ({ which, isForGood }) => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.record(id, 0, 'me', [copiedChunk(0, 1, 0), copiedChunk(1, 1, 1)]);
        for (const split of [1, 12]) await store.keepPieceRead(id, split, 'one', 0, 'AAAA');
        await (isForGood ? store.giveUpChunks(id, 1) : store.reopenChunks(id, 1, which));
        expect(await store.piecesRead(id, 1, 'one')).toEqual(new Map());
        expect(await store.piecesRead(id, 12, 'one')).toEqual(new Map([[0, 'AAAA']]));
      });

      it('are recorded together however long their digests are', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        const digests = { 'CRC32C/512/1024/': 'A'.repeat(340_000) };
        const many = Array.from({ length: 14 }, (_, index) => ({ ...copiedChunk(index, 0, index), digests }));
        await store.record(id, 0, 'me', many);
        expect(await store.chunks(id, 0)).toHaveLength(14);
        expect((await store.counters(id)).get('chunks.bytes')).toBe(14_000);
      });

      it('are no more than their file once it has ended, however many they are', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        const many = Array.from({ length: 205 }, (_, index) => copiedChunk(index, 0, index));
        await store.record(id, 0, 'me', many);
        expect(await store.chunks(id, 0)).toHaveLength(205);
        await store.record(id, 0, 'me', [copied(205, { bytes: 205_000, chunkBytes: 205_000 })]);
        const counters = await store.counters(id);
        expect([counters.get('chunks.bytes'), counters.get('bytes.copied')]).toEqual([undefined, 205_000]);
        await store.reopenChunks(id, 0);
        expect(await claim(id, 0, 'you')).toMatchObject({ done: new Set([205]) });
      });
    });

    describe('a file in parts', () => {
      const part = (lengthBytes: number) => ({
        lengthBytes,
        blocks: { layout: 'AA==' },
        verification: 'checksum' as const,
      });
      const begun = { lengthBytes: 10, modifiedAtMs: 5, names: [{ claim: 1, attempt: 0 }], parts: [] };

      it('is known as it was kept last, by batch and unit', async () => {
        const id = await make();
        await store.claim(id, 3, 'me');
        expect(await store.parts(id, 3, 1)).toBeUndefined();
        await store.keepParts(id, 3, 'me', 1, begun);
        expect(await store.parts(id, 3, 1)).toEqual(begun);
        const parts = Array.from({ length: 12 }, (_, index) => part(index + 1));
        for (let count = 1; count <= parts.length; count++) {
          await store.keepParts(id, 3, 'me', 1, { ...begun, fileId: 7, parts: parts.slice(0, count) });
        }
        expect(await store.parts(id, 3, 1)).toEqual({ ...begun, fileId: 7, parts });
        expect(await store.parts(id, 3, 11)).toBeUndefined();
        expect(await store.parts(id, 31, 1)).toBeUndefined();
        expect(await store.chunks(id, 1)).toEqual([]);
        expect(Object.fromEntries(await store.counters(id))).toEqual({});
      });

      it('keeps how often it was begun anew', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.keepParts(id, 0, 'me', 0, { ...begun, begunAnew: 1 });
        await store.keepParts(id, 0, 'me', 0, { ...begun, begunAnew: 1, parts: [part(1)] });
        expect(await store.parts(id, 0, 0)).toEqual({ ...begun, begunAnew: 1, parts: [part(1)] });
        await store.keepParts(id, 0, 'me', 0, begun);
        expect(await store.parts(id, 0, 0)).toEqual(begun);
      });

      it('is listed by batch and unit, with its names', async () => {
        const id = await make();
        for (const batch of [3, 12]) await store.claim(id, batch, 'me');
        const names = [{ claim: 2, attempt: 1 }, ...begun.names];
        await store.keepParts(id, 3, 'me', 1, { ...begun, parts: [part(1)] });
        await store.keepParts(id, 3, 'me', 1, { ...begun, names, parts: [part(1), part(2)] });
        await store.keepParts(id, 12, 'me', 10, begun);
        const listed = (await allOf(store.partedFiles(id))).sort((a, b) => a.batch - b.batch);
        expect(listed).toEqual([
          { batch: 3, unit: 1, names },
          { batch: 12, unit: 10, names: begun.names },
        ]);
        expect(await allOf(store.partedFiles(await make()))).toEqual([]);
      });

      it('that begins anew has no part of before', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.keepParts(id, 0, 'me', 0, { ...begun, parts: [part(1)] });
        await store.keepParts(id, 0, 'me', 0, { ...begun, parts: [part(1), part(2)] });
        await store.keepParts(id, 0, 'me', 0, { ...begun, modifiedAtMs: 6 });
        expect(await store.parts(id, 0, 0)).toEqual({ ...begun, modifiedAtMs: 6 });
        await store.keepParts(id, 0, 'me', 0, { ...begun, parts: [part(3)] });
        expect((await store.parts(id, 0, 0))?.parts).toEqual([part(3)]);
      });

      it('is changed by its owner alone', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.keepParts(id, 0, 'me', 0, begun);
        await store.claim(id, 0, 'you');
        const late = store.keepParts(id, 0, 'me', 0, { ...begun, parts: [part(1)] });
        await expect(late).rejects.toMatchObject({ name: 'SupersededError' });
        expect(await store.parts(id, 0, 0)).toEqual(begun);
        await store.keepParts(id, 0, 'you', 0, { ...begun, parts: [part(2)] });
        expect(await claim(id, 0, 'third')).toMatchObject({ claim: 3, done: new Set() });
      });
    });

    describe('claims', () => {
      it('counts claims from 1, and starts with nothing done', async () => {
        const id = await make();
        expect(await claim(id, 0, 'me')).toEqual({ claim: 1, attempts: 0, swept: 0, done: new Set() });
        expect(await store.claim(id, 0, 'me')).toMatchObject({ claim: 2 });
        expect(await store.claim(id, 1, 'you')).toMatchObject({ claim: 1 });
      });

      it('hands over what was recorded, attempted and swept', async () => {
        const id = await make();
        await store.claim(id, 3, 'first');
        await store.record(id, 3, 'first', [copied(0), failed(9), skipped(64)]);
        await store.noteAttempt(id, 3, 'first', 4);
        await store.noteAttempt(id, 3, 'first', 2);
        await store.noteSwept(id, 3, 'first', 1);
        await store.noteSwept(id, 3, 'first', 0);
        expect(await claim(id, 3, 'second')).toEqual({
          claim: 2,
          attempts: 4,
          swept: 1,
          done: new Set([0, 9, 64]),
        });
      });

      it('tells of every batch that was claimed, in order', async () => {
        const id = await make();
        for (const batch of [10, 2, 0]) await store.claim(id, batch, 'me');
        await store.record(id, 2, 'me', [copied(1)]);
        expect(await claims(id)).toEqual([
          { batch: 0, claim: 1, attempts: 0, swept: 0, done: new Set(), clean: new Set() },
          { batch: 2, claim: 1, attempts: 0, swept: 0, done: new Set([1]), clean: new Set([1]) },
          { batch: 10, claim: 1, attempts: 0, swept: 0, done: new Set(), clean: new Set() },
        ]);
      });

      it('tells of them from any batch on, however many there are', async () => {
        const id = await make();
        const batches = Array.from({ length: 1010 }, (_, batch) => batch);
        for (let at = 0; at < batches.length; at += 50) {
          await Promise.all(batches.slice(at, at + 50).map((batch) => store.claim(id, batch, 'me')));
        }
        for (const from of [0, 1, 999, 1000, 1009, 1010]) {
          const found = (await claims(id, from)).map(({ batch }) => batch);
          expect(found).toEqual(batches.slice(from));
        }
      });

      it('tells of which units nothing can be left: those that ended well at their first try under the first claim', async () => {
        const id = await make();
        await store.claim(id, 0, 'first');
        await store.record(id, 0, 'first', [
          copied(0),
          copied(1, { retries: 1 }),
          skipped(2),
          failed(3, { retries: 0 }),
        ]);
        await store.claim(id, 0, 'second');
        await store.record(id, 0, 'second', [copied(4), skipped(5)]);
        const [one] = await claims(id);
        expect(one).toMatchObject({ done: new Set([0, 1, 2, 3, 4, 5]), clean: new Set([0, 2]) });
        await store.reopenFailed(id);
        expect(await claims(id)).toMatchObject([{ done: new Set([0, 1, 2, 4, 5]), clean: new Set([0, 2]) }]);
      });

      it('takes those alone back that it is told to, and the others stay as they are and counted', async () => {
        const id = await make();
        const why = (reason: string) => ({ failure: { path: '/in/it', operation: 'OPEN', host: '', reason } });
        await store.claim(id, 0, 'me');
        await store.claim(id, 1, 'me');
        await store.record(id, 0, 'me', [copied(0), failed(1, why('denied')), failed(2, why('gone'))]);
        await store.record(id, 1, 'me', [failed(0, why('denied')), overtaken(1, 'changed')]);
        const before = await store.failures(id, 10);
        await store.reopenFailed(id, ({ reason }) => reason === 'denied');
        expect(await claims(id)).toMatchObject([{ done: new Set([0, 2]) }, { done: new Set([1]) }]);
        expect(await store.failures(id, 10)).toEqual(before.filter(({ reason }) => reason !== 'denied'));
        expect((await store.counters(id)).get('files.failed')).toBe(1);
        expect((await store.counters(id)).get('files.changed')).toBe(1);
        await store.reopenFailed(id, () => false);
        expect((await store.counters(id)).get('files.failed')).toBe(1);
        await store.reopenFailed(id);
        expect(await store.failures(id, 10)).toEqual([]);
        expect((await store.counters(id)).get('files.failed')).toBeUndefined();
      });

      it('keeps jobs apart', async () => {
        const [one, other] = [await make(), await make()];
        await store.claim(one, 0, 'me');
        await store.record(one, 0, 'me', [copied(0), failed(1)]);
        expect(await claim(other, 0, 'me')).toMatchObject({ claim: 1, done: new Set() });
        expect(await store.counters(other)).toEqual(new Map());
        expect(await store.failures(other, 10)).toEqual([]);
      });

      it.each<[string, (id: string) => Promise<void>]>([
        ['record', (id) => store.record(id, 0, 'loser', [copied(1), failed(2)])],
        ['record nothing', (id) => store.record(id, 0, 'loser', [])],
        ['be taken for the owner', (id) => store.requireOwner(id, 0, 'loser')],
        ['note an attempt', (id) => store.noteAttempt(id, 0, 'loser', 9)],
        ['note a sweep', (id) => store.noteSwept(id, 0, 'loser', 9)],
      ])('does not let a loser %s, and nothing changes', async (_what, work) => {
        const id = await make();
        await store.claim(id, 0, 'loser');
        await store.record(id, 0, 'loser', [copied(0)]);
        await store.claim(id, 0, 'winner');
        const before = [await claims(id), await store.counters(id), await store.failures(id, 10)];
        await expect(work(id)).rejects.toMatchObject({ name: 'SupersededError', disposition: 'fail-job' });
        expect([await claims(id), await store.counters(id), await store.failures(id, 10)]).toEqual(before);
        await store.requireOwner(id, 0, 'winner');
        await store.record(id, 0, 'winner', [copied(1)]);
        expect((await store.counters(id)).get('files.copied')).toBe(2);
      });

      it('does not let anyone record in a batch that was never claimed', async () => {
        const id = await make();
        await expect(store.record(id, 0, 'me', [copied(0)])).rejects.toMatchObject({ name: 'SupersededError' });
        await expect(store.requireOwner(id, 0, 'me')).rejects.toMatchObject({ name: 'SupersededError' });
        await expect(store.noteAttempt(id, 0, 'me', 1)).rejects.toMatchObject({ name: 'SupersededError' });
        expect(await claims(id)).toEqual([]);
      });
    });

    describe('outcomes', () => {
      it('sums what was recorded', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        const outcomes = [
          copied(0, { bytes: 2 ** 45, retries: 3, warnings: ['owner', 'times'] }),
          copied(1, { verification: 'read-back', warnings: ['owner'] }),
          skipped(2),
          skipped(3, 'both empty'),
          failed(4),
        ];
        await store.record(id, 0, 'me', outcomes.slice(0, 2));
        await store.record(id, 0, 'me', outcomes.slice(2));
        expect(await store.counters(id)).toEqual(
          new Map([
            ['bytes.copied', 2 ** 45 + 100],
            ['bytes.failed', 1],
            ['bytes.skipped', 20],
            ['files.copied', 2],
            ['files.failed', 1],
            ['files.skipped', 2],
            ['retries', 5],
            ['skipped.both empty', 1],
            ['skipped.identical content', 1],
            ['verified.checksum', 1],
            ['verified.read-back', 1],
            ['warnings.owner', 2],
            ['warnings.times', 1],
          ]),
        );
      });

      it.each([
        [
          'in a later write',
          [
            [copied(0), failed(1)],
            [copied(0), failed(1)],
          ],
        ],
        [
          'with another outcome',
          [
            [copied(0), failed(1)],
            [failed(0), copied(1)],
          ],
        ],
        ['in one write', [[copied(0), copied(0), failed(1), failed(1)]]],
      ])('counts a unit once that is recorded twice %s', async (_how, writes) => {
        const id = await make();
        await store.claim(id, 0, 'me');
        for (const outcomes of writes) await store.record(id, 0, 'me', outcomes);
        expect(await store.counters(id)).toEqual(countersIn([copied(0), failed(1)]));
        expect(await store.failures(id, 10)).toHaveLength(1);
      });

      it('counts 10,000 outcomes exactly', async () => {
        const id = await make();
        const all = Array.from(
          { length: 10_000 },
          (_, unit) => [copied(unit), skipped(unit), failed(unit)][unit % 3] ?? copied(unit),
        );
        for (let batch = 0; batch < 10; batch++) {
          await store.claim(id, batch, 'me');
          const mine = all.slice(batch * 1000, batch * 1000 + 1000).map((outcome, unit) => ({ ...outcome, unit }));
          for (let i = 0; i < 1000; i += 250) await store.record(id, batch, 'me', mine.slice(i, i + 250));
        }
        expect(await store.counters(id)).toEqual(countersIn(all));
        expect((await store.claim(id, 9, 'next')).done.size).toBe(1000);
      });

      it('gives failures in the order of recording, page by page', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.claim(id, 1, 'me');
        await store.record(id, 1, 'me', [failed(4), copied(5), failed(2)]);
        await store.record(id, 0, 'me', [failed(7)]);
        const paths: string[] = [];
        let after: string | undefined;
        for (;;) {
          const page = await store.failures(id, 2, after);
          expect(page.length).toBeLessThanOrEqual(2);
          if (page.length === 0) break;
          paths.push(...page.map(({ path }) => path));
          after = page.at(-1)?.sequence;
        }
        expect(paths).toEqual(['/in/4', '/in/2', '/in/7']);
        expect((await store.failures(id, 1))[0]).toEqual({
          path: '/in/4',
          operation: 'OPEN',
          host: 'nn1:9870',
          reason: 'denied (ask for it)',
          sequence: expect.any(String) as string,
          batch: 1,
          unit: 4,
        });
      });

      it('refuses a mark that it never gave', async () => {
        const id = await make();
        await expect(async () => store.failures(id, 1, 'nonsense')).rejects.toMatchObject({ name: 'SpecError' });
      });

      it('takes failed units back exactly, so that they can be done again', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        const done = [copied(0), skipped(1)];
        await store.record(id, 0, 'me', [...done, failed(2, { retries: 5 }), failed(3)]);
        await store.reopenFailed(id);
        expect(await store.counters(id)).toEqual(countersIn(done));
        expect(await store.failures(id, 10)).toEqual([]);
        expect((await claim(id, 0, 'me again')).done).toEqual(new Set([0, 1]));
        await store.record(id, 0, 'me again', [copied(2), failed(3)]);
        expect(await store.counters(id)).toEqual(countersIn([...done, copied(2), failed(3)]));
        expect(await store.failures(id, 10)).toHaveLength(1);
      });

      it('counts deletions for themselves, and takes back those that failed', async () => {
        const id = await make();
        const batch = FIRST_DELETE_BATCH;
        expect(await claim(id, batch, 'me')).toMatchObject({ claim: 1 });
        const ended = { kind: 'delete', retries: 0, bytes: 7, files: 3 } as const;
        const { failure } = failed(2);
        await store.record(id, batch, 'me', [
          { ...ended, unit: 0, outcome: 'deleted' },
          { ...ended, unit: 1, outcome: 'kept', reason: 'changed' },
          { ...ended, unit: 2, outcome: 'failed', failure },
        ]);
        await store.record(id, batch, 'me', [{ ...ended, unit: 0, outcome: 'deleted' }]);
        const settled = new Map([
          ['deletes.files', 3],
          ['deletes.bytes', 7],
          ['kept.changed', 1],
        ]);
        expect(await store.counters(id)).toEqual(new Map([...settled, ['deletes.failed', 1]]));
        expect(await store.failures(id, 10)).toMatchObject([{ ...failure, batch, unit: 2 }]);
        await store.reopenFailed(id);
        expect(await store.counters(id)).toEqual(settled);
        expect(await claim(id, batch, 'me again')).toMatchObject({ claim: 2, done: new Set([0, 1]) });
      });

      it('takes back nothing where nothing failed', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        await store.record(id, 0, 'me', [copied(0)]);
        await store.reopenFailed(id);
        expect(await store.counters(id)).toEqual(countersIn([copied(0)]));
      });
    });

    describe('a source that vanished or changed', () => {
      it('is no failure, is told of with the reason, and its unit is taken back with those that failed', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        const ended = [copied(0), overtaken(1, 'vanished', { retries: 0 }), overtaken(2, 'changed'), failed(3)];
        await store.record(id, 0, 'me', ended);
        await store.record(id, 0, 'me', ended);
        expect(await store.counters(id)).toEqual(countersIn(ended));
        const told = await store.failures(id, 10);
        expect(told.map(({ unit, overtaken: why }) => [unit, why])).toEqual([
          [1, 'vanished'],
          [2, 'changed'],
          [3, undefined],
        ]);
        // What a datanode may still be asked to write is swept.
        expect(await claims(id)).toMatchObject([{ done: new Set([0, 1, 2, 3]), clean: new Set([0]) }]);
        await store.reopenFailed(id);
        expect(await store.failures(id, 10)).toEqual([]);
        expect(await store.counters(id)).toEqual(countersIn([copied(0)]));
        expect(await claim(id, 0, 'me again')).toMatchObject({ done: new Set([0]) });
      });

      it('is told of as a failure where it is one, and counted for itself until it is taken back', async () => {
        const id = await make();
        await store.claim(id, 0, 'me');
        const { failure } = overtaken(0, 'vanished');
        await store.record(id, 0, 'me', [failed(0, { failure: { ...failure, directory: true } })]);
        expect(await store.failures(id, 10)).toMatchObject([{ overtaken: 'vanished', directory: true }]);
        expect((await store.counters(id)).get('failed.vanished')).toBe(1);
        await store.reopenFailed(id);
        expect((await store.counters(id)).get('failed.vanished') ?? 0).toBe(0);
      });
    });

    describe('the cursor of a finish', () => {
      it('is given back as it was kept, and the last one kept counts', async () => {
        const id = await make({ phase: 'finishing' });
        expect(await store.finishCursor(id)).toBeUndefined();
        await store.keepFinishCursor(id, { phase: 'sweep', at: { batch: 1 } });
        const cursor = { phase: 'directories', open: [{ path: 'é😀"\u2028', after: null }], root: 2 };
        await store.keepFinishCursor(id, cursor);
        expect(await store.finishCursor(id)).toEqual(cursor);
        expect(await store.get(id)).toEqual({ ...newJob({ phase: 'finishing' }), id });
      });

      it('may name every directory of the deepest tree', async () => {
        const id = await make({ phase: 'finishing' });
        const open = Array.from({ length: 1000 }, (_, depth) => ({ path: 'abcdefg/'.repeat(depth), depth }));
        await store.keepFinishCursor(id, { open });
        expect(await store.finishCursor(id)).toEqual({ open });
      });

      it('is gone with the end of its job', async () => {
        const id = await make({ phase: 'finishing' });
        await store.keepFinishCursor(id, { phase: 'status' });
        await store.endFinish(id, { phase: 'done', outcome: 'Successful', error: undefined, endedAtMs: 5 });
        expect(await store.get(id)).toMatchObject({ phase: 'done', outcome: 'Successful', endedAtMs: 5 });
        expect(await store.finishCursor(id)).toBeUndefined();
      });

      it('is gone with the first pass of its job, which ends once', async () => {
        const id = await make({ phase: 'finishing' });
        await store.keepFinishCursor(id, { phase: 'deletes' });
        expect(await store.beginSecondPass(id)).toBe(true);
        expect(await store.get(id)).toMatchObject({ phase: 'planning', pass: 2 });
        expect(await store.finishCursor(id)).toBeUndefined();
        await store.update(id, { phase: 'finishing' });
        await store.keepFinishCursor(id, { phase: 'sweep' });
        expect(await store.beginSecondPass(id)).toBe(false);
        expect(await store.get(id)).toMatchObject({ phase: 'finishing', pass: 2 });
        expect(await store.finishCursor(id)).toEqual({ phase: 'sweep' });
      });

      it('is gone when it is taken back, and each job has its own', async () => {
        const [one, other] = [await make({ phase: 'finishing' }), await make({ phase: 'finishing' })];
        await store.keepFinishCursor(one, { phase: 'sweep' });
        await store.keepFinishCursor(other, { phase: 'status' });
        await store.keepFinishCursor(one, undefined);
        await store.keepFinishCursor(one, undefined);
        expect(await store.finishCursor(one)).toBeUndefined();
        expect(await store.finishCursor(other)).toEqual({ phase: 'status' });
      });
    });

    it('keeps one truth for several connections', async () => {
      const [one, other] = [stores.connect(), stores.connect()];
      const id = await make();
      const turns = Array.from({ length: 40 }, (_, batch) => batch);
      const work = async (connection: JobStore, batch: number) => {
        await connection.claim(id, batch, `owner of ${batch}`);
        await connection.record(id, batch, `owner of ${batch}`, [copied(0), failed(1)]);
      };
      await Promise.all(turns.map((batch) => work(batch % 2 ? one : other, batch)));
      expect(await one.counters(id)).toEqual(countersIn(turns.flatMap(() => [copied(0), failed(1)])));
      await one.claim(id, 0, 'loser');
      await other.claim(id, 0, 'winner');
      await expect(one.record(id, 0, 'loser', [copied(2)])).rejects.toMatchObject({ name: 'SupersededError' });
      expect(await one.counters(id)).toEqual(await other.counters(id));
    });

    interleavingsContract(() => store);
  });
}
