import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../shared/errors.ts';
import { content, oddNames } from '../support/odd-tree.ts';
import { bytesOf, errorOf, get, never, put } from '../support/files.ts';
import { type OpenStorage, storages } from '../support/storages.ts';
import { allBytes } from '../../shared/storage/storage.ts';

const MIB = 1024 * 1024;
/** For what has to come, and comes at once on a machine that is not busy. */
const PATIENCE_MS = 60_000;
const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

describe.each(storages)('$name: write and read', ({ name, open, makesParents }) => {
  let opened: OpenStorage;
  beforeAll(async () => {
    opened = await open('content');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  it.each([0, 1, 511, 512, 513, 65_535, 65_536, MIB, MIB + 1, 3 * MIB + 7])('brings back %i bytes', async (length) => {
    const { fs, root } = opened;
    const bytes = content('round trip', length);
    await put(fs, `${root}/length-${length}`, bytes);
    expect((await fs.stat(`${root}/length-${length}`, never))?.lengthBytes).toBe(length);
    expect((await get(fs, `${root}/length-${length}`, length)).equals(bytes)).toBe(true);
  });

  it('brings back a file of many small blocks', async () => {
    const { fs, root } = opened;
    const bytes = content('blocks', 20_000);
    await put(fs, `${root}/blocks`, bytes, { blockBytes: 1024 });
    expect((await get(fs, `${root}/blocks`, 20_000)).equals(bytes)).toBe(true);
  });

  it.each(oddNames)('takes %j for a name', async (odd) => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/in ${odd.slice(0, 100)}`, undefined, never);
    const path = `${root}/in ${odd.slice(0, 100)}/${odd}`;
    await put(fs, path, odd);
    expect((await fs.stat(path, never))?.name).toBe(odd);
    expect((await get(fs, path, Buffer.byteLength(odd))).toString()).toBe(odd);
    await fs.rename(path, `${path.slice(0, -1)}_`, false, never);
    expect(await fs.delete(`${path.slice(0, -1)}_`, never)).toBe(true);
  });

  it.each([
    { what: 'a small body', length: 10 },
    { what: 'a body that does not fit into the sockets', length: 8 * MIB },
  ])('refuses to write $what over an existing file', async ({ what, length }) => {
    const { fs, root } = opened;
    await put(fs, `${root}/old ${what}`, 'old');
    const writing = () => errorOf(put(fs, `${root}/old ${what}`, content('new', length)));
    let error = await writing();
    // A datanode that refuses in the middle of a body resets the connection, which now and then costs its answer.
    for (let tries = 1; tries < 5 && error instanceof TransportError; tries++) error = await writing();
    expect(error).toMatchObject({ name: 'StorageError', code: 'exists', disposition: 'fail-unit' });
    expect((await get(fs, `${root}/old ${what}`, 3)).toString()).toBe('old');
  });

  it('replaces an existing file when told to', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/replaced`, 'the old content');
    await put(fs, `${root}/replaced`, 'new', { overwrite: true });
    expect(await fs.stat(`${root}/replaced`, never)).toMatchObject({ lengthBytes: 3 });
    expect((await get(fs, `${root}/replaced`, 3)).toString()).toBe('new');
  });

  it('gives a new file its permission', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/permission`, 'x', { permission: '604' });
    expect(await fs.stat(`${root}/permission`, never)).toMatchObject({ permission: '604' });
  });

  it(`${makesParents ? 'makes' : 'does not make'} the parents of a new file`, async () => {
    const { fs, root } = opened;
    const writing = put(fs, `${root}/no/such/parent`, 'x').then(() => 'written');
    if (makesParents) expect(await writing).toBe('written');
    else expect(await errorOf(writing)).toMatchObject({ code: 'not-found' });
  });

  it('says that a file has grown since it was listed', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/grown`, content('grown', 300_000));
    const error = await errorOf(get(fs, `${root}/grown`, 100_001));
    expect(error).toMatchObject({ name: 'SourceChangedError', where: { path: `${root}/grown` } });
    expect((error as Error).message).toContain('it has grown beyond 100001 bytes');
  });

  it.each([
    ['shrunk', 'the rest'],
    ['emptied', ''],
  ])('says that a file has %s since it was listed', async (what, rest) => {
    const { fs, root } = opened;
    await put(fs, `${root}/${what}`, rest);
    const error = await errorOf(get(fs, `${root}/${what}`, 100_000));
    expect(error).toMatchObject({ name: 'SourceChangedError', where: { path: `${root}/${what}` } });
    expect((error as Error).message).toContain(`from 100000 to ${rest.length} bytes`);
  });

  it('says not-found of a file that has vanished', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/vanishing`, 'x');
    await fs.delete(`${root}/vanishing`, never);
    const error = await errorOf(get(fs, `${root}/vanishing`, 1));
    expect(error).toMatchObject({ code: 'not-found', disposition: 'fail-unit', where: { path: `${root}/vanishing` } });
  });

  it.each([
    ['the first bytes', 0, 700],
    ['bytes from the middle', 1000, 3000],
    ['bytes of one block', 1024, 1024],
    ['the last bytes', 4000, 1000],
    ['the last byte', 4999, 1],
    ['all bytes', 0, 5000],
    ['no byte at the beginning', 0, 0],
    ['no byte at the end', 5000, 0],
  ])('reads %s of a file of several blocks', async (what, offset, lengthBytes) => {
    const { fs, root } = opened;
    const path = `${root}/range ${what}`;
    const bytes = content('range', 5000);
    await put(fs, path, bytes, { blockBytes: 1024 });
    const { body } = await fs.read(path, { offset, lengthBytes, fileBytes: 5000 }, never);
    expect(await bytesOf(body)).toEqual(bytes.subarray(offset, offset + lengthBytes));
  });

  it.each([
    ['reaches to an end that has moved away', 2000, 1000, 3000, 'it has grown beyond 3000 bytes'],
    ['lies beyond the end', 4000, 2000, 6000, 'it has shrunk from 6000 to 5000 bytes'],
  ])('does not take a range for whole that %s', async (what, offset, lengthBytes, fileBytes, says) => {
    const { fs, root } = opened;
    const path = `${root}/range that ${what}`;
    await put(fs, path, content('range', 5000), { blockBytes: 1024 });
    const reading = fs.read(path, { offset, lengthBytes, fileBytes }, never).then(({ body }) => bytesOf(body));
    const error = await errorOf(reading);
    expect(error).toMatchObject({ name: 'SourceChangedError', disposition: 'fail-unit' });
    expect((error as Error).message).toContain(says);
  });

  it('passes on why the body of a write broke off, and leaves no file of full length', async () => {
    const { fs, root } = opened;
    const reason = new Error('the source broke off');
    async function* broken() {
      yield await Promise.resolve(content('half', MIB));
      throw reason;
    }
    const options = { lengthBytes: 2 * MIB, blockBytes: undefined, replication: undefined, permission: undefined };
    const error = await errorOf(fs.write(`${root}/broken`, broken(), { ...options, overwrite: false }, never));
    expect(error === reason || (error as Error).cause === reason).toBe(true);
    const left = await fs.stat(`${root}/broken`, never);
    expect(left?.lengthBytes ?? 0).toBeLessThan(2 * MIB);
  });

  it('stops reading with the reason of its signal', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/long`, content('long', 16 * MIB));
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    const { body } = await fs.read(`${root}/long`, allBytes(16 * MIB), stop.signal);
    const reading = (async () => {
      for await (const chunk of body) if (chunk.length > 0) stop.abort(reason);
    })();
    expect(await errorOf(reading)).toBe(reason);
  });

  it('stops writing with the reason of its signal, and asks its body for no more', async () => {
    const { fs, root } = opened;
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    let given = 0;
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          yield await Promise.resolve(content('endless', 65_536));
          given += 1;
          if (given === 20) stop.abort(reason);
          await sleep(1);
        }
      } finally {
        closed = true;
      }
    }
    const options = { lengthBytes: 64 * MIB, blockBytes: undefined, replication: undefined, permission: undefined };
    const writing = fs.write(`${root}/stopped`, endless(), { ...options, overwrite: false }, stop.signal);
    expect(await errorOf(writing)).toBe(reason);
    await vi.waitFor(() => expect(closed).toBe(true), PATIENCE_MS);
    expect(given).toBeLessThan(30);
    expect((await fs.stat(`${root}/stopped`, never))?.lengthBytes ?? 0).toBeLessThan(64 * MIB);
  });

  it('leaves no connection behind when it is stopped and closed', async () => {
    const before = sockets();
    await using own = await open(`connections-${name}`);
    const stop = new AbortController();
    await put(own.fs, `${own.root}/file`, content('connections', 16 * MIB), { overwrite: true });
    const { body } = await own.fs.read(`${own.root}/file`, allBytes(16 * MIB), stop.signal);
    const writing = own.fs.write(
      `${own.root}/copy`,
      body,
      { lengthBytes: 16 * MIB, blockBytes: undefined, replication: undefined, permission: undefined, overwrite: true },
      stop.signal,
    );
    stop.abort(new Error('stopped by the test'));
    await errorOf(writing);
    await own.fs.close();
    await vi.waitFor(() => expect(sockets()).toBeLessThanOrEqual(before), PATIENCE_MS);
  });
});
