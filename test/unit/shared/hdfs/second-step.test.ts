import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { FanoutError, TransportError } from '../../../../shared/errors.ts';
import { type StorageCode, StorageError } from '../../../../shared/storage/errors.ts';
import { bytesOf, errorOf, get, never, pieces, put } from '../../../support/files.ts';
import {
  type Answer,
  clientOf,
  closedPort,
  redirect,
  remoteException,
  ScriptedServer,
} from '../../../support/scripted-server.ts';
import { allBytes } from '../../../../shared/storage/storage.ts';

const MIB = 1024 * 1024;
/** For what has to come, and comes at once on a machine that is not busy. */
const PATIENCE_MS = 60_000;
const SECRET = 'HgAFcm9vdAdTRUNSRVQ';
const QUERY = `delegation=${SECRET}&namenoderpcaddress=nn1:8020&offset=0`;
const options = { blockBytes: undefined, replication: undefined, permission: undefined, overwrite: false };

/** A namenode that redirects everything to a datanode that answers so. */
async function pair(answers: readonly Answer[], changes: Record<string, unknown> = {}) {
  const datanode = await ScriptedServer.start(answers);
  const namenode = await ScriptedServer.start((seen) =>
    redirect(`${datanode.url}/webhdfs/v1${seen.path}?op=${seen.operation}&${QUERY}`),
  );
  const fs = clientOf([namenode.url], changes);
  const close = async () => {
    await fs.close();
    await namenode[Symbol.asyncDispose]();
    await datanode[Symbol.asyncDispose]();
  };
  return { datanode, namenode, fs, [Symbol.asyncDispose]: close };
}

/** Sends this much of a body of the stated length, then ends the connection. */
const cutAfter =
  (sent: number, stated: number): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': stated, connection: 'close' });
    response.write(Buffer.alloc(sent), () => setTimeout(() => response.destroy(), 20));
  };

describe('reading from a datanode', () => {
  it('asks the namenode, follows its redirect once, and tells who served', async () => {
    await using both = await pair([{ text: 'hello' }]);
    const { body, near } = await both.fs.read('/x', allBytes(5), never);
    expect((await bytesOf(body)).toString()).toBe('hello');
    expect(near?.host).toBe(both.datanode.host);
    expect([both.namenode.operations, both.datanode.operations]).toEqual([['OPEN'], ['OPEN']]);
  });

  it.each([
    ['nobody wants any more is no lost connection', true],
    ['breaks off is one', false],
  ])('a body that %s', async (_what, isGivenBack) => {
    let breakOff = () => undefined as unknown;
    const begun: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 5, connection: 'close' });
      response.write('he');
      breakOff = () => response.destroy();
    };
    await using both = await pair([begun]);
    const { body, cancel } = await both.fs.read('/x', allBytes(5), never);
    const bytes = body[Symbol.asyncIterator]();
    expect(String((await bytes.next()).value)).toBe('he');
    const next = errorOf(Promise.resolve(bytes.next()));
    if (isGivenBack) cancel();
    else breakOff();
    expect(await next).toBeInstanceOf(Error);
    expect(Object.keys(both.fs.lostConnections.take())).toHaveLength(isGivenBack ? 0 : 1);
  });

  it('asks nobody for an empty file', async () => {
    await using both = await pair([{ text: '' }]);
    expect(await get(both.fs, '/x', 0)).toHaveLength(0);
    expect(both.namenode.requests).toEqual([]);
  });

  it.each<[string, Answer, Record<string, unknown>, RegExp]>([
    [
      'a body that breaks off',
      cutAfter(600, 1000),
      { name: 'TransportError', disposition: 'retry' },
      /after 600 of 1000 bytes/,
    ],
    [
      'a body that ends early',
      (_request, response) =>
        response.writeHead(200, { connection: 'close', 'transfer-encoding': 'chunked' }).end('short'),
      { name: 'TransportError', disposition: 'retry' },
      /sent 5 of 1000 bytes/,
    ],
    [
      'a body that is too long',
      (_request, response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('x'.repeat(1001)),
      { name: 'SourceChangedError' },
      /grown beyond 1000 bytes/,
    ],
    [
      'a length that is too long',
      { text: 'x'.repeat(1001) },
      { name: 'SourceChangedError' },
      /grown beyond 1000 bytes/,
    ],
    ['a length that is too short', { text: 'short' }, { name: 'SourceChangedError' }, /shrunk from 1000 to 5 bytes/],
    [
      'a refusal',
      remoteException('FileNotFoundException', 'File does not exist: /x\n\tat org.apache.Foo(Bar.java:1)', 404),
      { name: 'StorageError', code: 'not-found' },
      /File does not exist: \/x \(/,
    ],
    [
      'an HTML page',
      { status: 500, text: '<html><title>Error 500</title>' },
      { name: 'StorageError', code: 'io' },
      /HTTP 500: Error 500/,
    ],
    [
      'the end of the connection',
      (_request, response) => response.destroy(),
      { name: 'TransportError', disposition: 'retry' },
      /datanode could not be used.*the namenode 127.0.0.1:\d+ works/,
    ],
    [
      'a redirect to elsewhere',
      redirect(`http://127.0.0.1:1/?${QUERY}`),
      { name: 'StorageError', code: 'not-webhdfs' },
      /HTTP 307/,
    ],
  ])('says what happened when it sends %s', async (_what, answer, expected, message) => {
    await using both = await pair([answer]);
    const error = (await errorOf(get(both.fs, '/x', 1000))) as Error;
    expect(error).toMatchObject({ ...expected, where: { operation: 'OPEN', path: '/x', host: both.datanode.host } });
    expect(error.message).toMatch(message);
  });

  it('times out when the body stops coming', async () => {
    await using both = await pair(
      [(_request, response) => response.writeHead(200, { 'content-length': 1000 }).write('some')],
      { data_timeout: 1 },
    );
    const error = (await errorOf(get(both.fs, '/x', 1000))) as Error;
    expect(error).toMatchObject({ name: 'TransportError', disposition: 'retry' });
    expect(error.message).toContain(
      `on ${both.datanode.host}: the datanode sent nothing for 1 s after 4 of 1000 bytes`,
    );
  });

  it('gives the connection back when the reader stops, cancels or is aborted', async () => {
    await using both = await pair([
      (_request, response) => response.writeHead(200, { 'content-length': 100 * MIB }).write(Buffer.alloc(MIB)),
    ]);
    const closed = () => vi.waitFor(async () => expect(await both.datanode.connections()).toBe(0), 2000);

    for await (const chunk of (await both.fs.read('/stops', allBytes(100 * MIB), never)).body)
      if (chunk.length > 0) break;
    await closed();

    (await both.fs.read('/cancels', allBytes(100 * MIB), never)).cancel();
    await closed();

    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    const { body } = await both.fs.read('/aborted', allBytes(100 * MIB), stop.signal);
    const reading = (async () => {
      for await (const chunk of body) if (chunk.length > 0) stop.abort(reason);
    })();
    expect(await errorOf(reading)).toBe(reason);
    await closed();
  });
});

describe('writing to a datanode', () => {
  const created: Answer = (request, response) => {
    request.resume().on('end', () => response.writeHead(201, { connection: 'close' }).end());
  };
  const continued: Answer = (request, response) => {
    response.writeContinue();
    request.resume().on('end', () => response.writeHead(201, { connection: 'close' }).end());
  };

  it.each([0, 10, MIB])('takes the 100 Continue that nobody asked for, with a body of %i bytes', async (length) => {
    await using both = await pair([continued]);
    const { near } = await put(both.fs, '/x', Buffer.alloc(length));
    expect(near?.host).toBe(both.datanode.host);
    expect(both.datanode.requests[0]?.headers['content-length']).toBe(String(length));
  });

  it('does without one, as HttpFS does', async () => {
    await using both = await pair([created]);
    await expect(put(both.fs, '/x', Buffer.alloc(MIB))).resolves.toBeDefined();
  });

  it('reads a refusal that comes while a large body is being sent, and sends no more', async () => {
    const refusal = remoteException('FileAlreadyExistsException', '/x for client 127.0.0.1 already exists');
    const body = JSON.stringify((refusal as { json: unknown }).json);
    await using both = await pair([
      (request, response) => {
        response.writeContinue();
        request.once('data', () => response.writeHead(403, { 'content-length': body.length }).end(body));
      },
    ]);
    let given = 0;
    let closed = false;
    async function* large() {
      try {
        for (; given < 1000; given++) {
          await sleep(1);
          yield Buffer.alloc(65_536);
        }
      } finally {
        closed = true;
      }
    }
    const error = await errorOf(both.fs.write('/x', large(), { ...options, lengthBytes: 1000 * 65_536 }, never));
    expect(error).toMatchObject({ name: 'StorageError', code: 'exists', where: { operation: 'CREATE', path: '/x' } });
    await vi.waitFor(() => expect(closed).toBe(true), PATIENCE_MS);
    expect(given).toBeLessThan(500);
    await vi.waitFor(async () => expect(await both.datanode.connections()).toBe(0), PATIENCE_MS);
    expect(both.datanode.requests).toHaveLength(1);
  });

  it.each<[string, Answer, Record<string, unknown>, RegExp]>([
    [
      'a permission',
      remoteException('AccessControlException', 'Permission denied: user=me'),
      { code: 'denied' },
      /Permission denied/,
    ],
    [
      'a quota',
      remoteException('DSQuotaExceededException', 'The DiskSpace quota of / is exceeded\n\tat org.Foo(Bar.java:1)'),
      { code: 'quota', disposition: 'fail-unit' },
      /is exceeded \(raise/,
    ],
    [
      'a lease',
      remoteException('AlreadyBeingCreatedException', 'failed to create'),
      { code: 'leased', disposition: 'retry' },
      /failed to create/,
    ],
    ['no reason in an empty body', { status: 400, text: '' }, { code: 'not-webhdfs' }, /HTTP 400/],
    ['an answer of 200, which creates nothing', { status: 200, text: '' }, { code: 'not-webhdfs' }, /HTTP 200/],
  ])('says why when it refuses for %s', async (_what, answer, expected, message) => {
    await using both = await pair([answer]);
    const error = (await errorOf(put(both.fs, '/x', 'content'))) as Error;
    expect(error).toMatchObject({ name: 'StorageError', ...expected });
    expect(error.message).toMatch(message);
  });

  it('says that the datanode broke off and the namenode works', async () => {
    await using both = await pair([(request) => request.once('data', () => request.socket.destroy())]);
    const error = (await errorOf(put(both.fs, '/x', Buffer.alloc(4 * MIB)))) as Error;
    expect(error).toMatchObject({ name: 'TransportError', disposition: 'retry' });
    expect(error.message).toMatch(`the namenode ${both.namenode.host} works`);
  });

  it('times out when the answer to a whole body does not come', async () => {
    await using both = await pair([(request) => request.resume()], { data_timeout: 1 });
    const error = (await errorOf(put(both.fs, '/x', 'content'))) as Error;
    expect(error).toMatchObject({ name: 'TransportError', disposition: 'retry' });
    expect(error.message).toContain('no answer within 2 s after all of its 7 bytes were sent');
  });

  it.each<StorageCode | 'broken'>(['standby', 'busy', 'token', 'unauthenticated', 'other', 'broken'])(
    'throws the error of its source as it is, %s, and does not hold it against its own cluster',
    async (code) => {
      const where = { operation: 'OPEN', path: '/from', host: 'source:1' };
      const reason =
        code === 'broken'
          ? new TransportError('reset', where, {})
          : new StorageError(code, 'Some', 'Requested replication factor of 9 exceeds maximum of 8', where);
      await using datanode = await ScriptedServer.start([created]);
      await using own = await ScriptedServer.start((seen) =>
        seen.query.has('data') ? created : redirect(`http://${seen.headers.host ?? ''}/webhdfs/v1/x?data=true`),
      );
      const redirected = () => redirect(`${datanode.url}/webhdfs/v1/x?${QUERY}`);
      await using first = await ScriptedServer.start(redirected);
      await using second = await ScriptedServer.start(redirected);
      await using namenodes = clientOf([first.url, second.url]);
      await using gateways = clientOf([own.url, second.url], {
        auth_mechanism: 'BASIC',
        user: 'me',
        password: 'secret',
      });
      async function* body() {
        yield Buffer.from('hello');
        throw await Promise.resolve(reason);
      }
      for (const fs of [namenodes, gateways]) {
        const layout = { ...options, replication: 9, lengthBytes: 10 };
        expect(await errorOf(fs.write('/x', body(), layout, never))).toBe(reason);
        expect(fs.load.take()).toBeUndefined();
      }
      expect(second.requests).toEqual([]);
      expect(namenodes.hadoop.takenLayout('/x', { replication: 9, blockBytes: undefined }).refused).toEqual([]);
    },
  );

  it('is at rest when it rejects: the connection is closed', async () => {
    await using both = await pair([(request) => request.resume()]);
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    setTimeout(() => stop.abort(reason), 50);
    async function* endless() {
      yield* pieces(Buffer.alloc(MIB));
      await new Promise(() => undefined);
    }
    const writing = both.fs.write('/x', endless(), { ...options, lengthBytes: 2 * MIB }, stop.signal);
    expect(await errorOf(writing)).toBe(reason);
    await vi.waitFor(async () => expect(await both.datanode.connections()).toBe(0), PATIENCE_MS);
  });

  it('does not begin when the signal has aborted', async () => {
    await using both = await pair([created]);
    const error = await errorOf(put(both.fs, '/x', 'content', {}, AbortSignal.abort(new Error('before'))));
    expect((error as Error).message).toBe('before');
    expect(both.datanode.requests).toEqual([]);
  });
});

describe('a checksum', () => {
  const stored = (value: string) => ({
    FileChecksum: { algorithm: 'MD5-of-0MD5-of-512CRC32C', bytes: value.repeat(32), length: 28 },
  });
  const answer = (value: string): Answer => ({ json: stored(value) });

  it('is asked of the datanode that has just served the file, with its credentials', async () => {
    await using both = await pair([{ text: 'hello' }, answer('ab')]);
    const { near, body } = await both.fs.read('/x', allBytes(5), never);
    await bytesOf(body);
    expect(await both.fs.checksums.stored('/x', never, near)).toMatchObject({ value: 'ab'.repeat(28) });
    expect(both.namenode.operations).toEqual(['OPEN']);
    const query = both.datanode.requests[1]?.query;
    expect(Object.fromEntries(query ?? [])).toEqual({
      op: 'GETFILECHECKSUM',
      delegation: SECRET,
      namenoderpcaddress: 'nn1:8020',
    });
  });

  it('is asked of the namenode when that datanode does not answer any more', async () => {
    await using both = await pair([{ text: 'hello' }, (_request, response) => response.destroy(), answer('cd')]);
    const { near, body } = await both.fs.read('/x', allBytes(5), never);
    await bytesOf(body);
    expect(await both.fs.checksums.stored('/x', never, near)).toMatchObject({ value: 'cd'.repeat(28) });
    expect(both.namenode.operations).toEqual(['OPEN', 'GETFILECHECKSUM']);
  });

  const late =
    (ms: number): Answer =>
    (request, response) => {
      request.resume();
      setTimeout(() => response.end(JSON.stringify(stored('ab'))), ms).unref();
    };
  const impatient = { timeout: 0.2, data_timeout: 0.2, retry_timeout: 0 };

  describe('that was made ready for', () => {
    /** A file that was read, and the way to its checksum. */
    const made = async (both: Awaited<ReturnType<typeof pair>>) => {
      const { near, body } = await both.fs.read('/x', allBytes(5), never);
      await bytesOf(body);
      if (!near) throw new Error('nobody served it');
      await expect.poll(() => both.datanode.connections()).toBe(0);
      return { near, way: both.fs.checksums.prepare('/x', near) };
    };

    it('is asked on the connection that was made before', async () => {
      await using both = await pair([{ text: 'hello' }, answer('ab')]);
      const { near, way } = await made(both);
      await expect.poll(() => both.datanode.connections()).toBe(1);
      expect(both.datanode.operations).toEqual(['OPEN']);
      expect(await both.fs.checksums.stored('/x', never, near)).toMatchObject({ value: 'ab'.repeat(28) });
      await expect.poll(() => both.datanode.connections()).toBe(0);
      expect([both.namenode.operations, both.datanode.operations]).toEqual([['OPEN'], ['OPEN', 'GETFILECHECKSUM']]);
      way?.[Symbol.dispose]();
      expect(await both.fs.checksums.stored('/x', never, near)).toBeDefined();
    });

    it.each([
      ['once it is made', 1],
      ['while it is made', 0],
    ])('leaves no connection where it is given up %s', async (_when, connections) => {
      await using both = await pair([{ text: 'hello' }]);
      const { way } = await made(both);
      if (connections > 0) await expect.poll(() => both.datanode.connections()).toBe(connections);
      way?.[Symbol.dispose]();
      // One that was on its way comes, and goes.
      await sleep(50);
      await expect.poll(() => both.datanode.connections()).toBe(0);
      expect(both.datanode.operations).toEqual(['OPEN']);
    });

    it('is asked of the namenode where that connection was closed meanwhile', async () => {
      await using both = await pair([{ text: 'hello' }, answer('cd')], impatient);
      const { near } = await made(both);
      await expect.poll(() => both.datanode.connections()).toBe(1);
      await expect.poll(() => both.datanode.connections()).toBe(0);
      expect(await both.fs.checksums.stored('/x', never, near)).toMatchObject({ value: 'cd'.repeat(28) });
      expect(both.namenode.operations).toEqual(['OPEN', 'GETFILECHECKSUM']);
    });

    it('ends with the signal of who asks', async () => {
      await using both = await pair([{ text: 'hello' }, late(60_000)]);
      const { near } = await made(both);
      const stop = new AbortController();
      const asked = errorOf(both.fs.checksums.stored('/x', stop.signal, near));
      await expect.poll(() => both.datanode.operations).toHaveLength(2);
      stop.abort(new Error('stopped'));
      expect(await asked).toMatchObject({ message: 'stopped' });
      await expect.poll(() => both.datanode.connections()).toBe(0);
    });
  });

  it.each<[string, number, boolean]>([
    ['a long file may take long', 100 * MIB, true],
    ['a short one may not', 1, false],
  ])('of %s', async (_what, lengthBytes, waits) => {
    await using both = await pair([late(1500)], impatient);
    const asked = both.fs.checksums.stored('/x', never, undefined, lengthBytes);
    if (waits) expect(await asked).toBeDefined();
    else expect(await errorOf(asked)).toMatchObject({ name: 'TransportError', disposition: 'retry' });
  });

  it('of a long file may take long where HttpFS computes it', async () => {
    await using server = await ScriptedServer.start([late(1500)]);
    await using fs = clientOf([server.url], impatient);
    expect(await fs.checksums.stored('/x', never, undefined, 100 * MIB)).toBeDefined();
  });

  it('is nothing where the server keeps none', async () => {
    const none = { FileChecksum: null, FsServerDefaults: { blockSize: 512, bytesPerChecksum: 512, checksumType: 2 } };
    await using server = await ScriptedServer.start([{ json: none }]);
    await using fs = clientOf([server.url]);
    expect(await fs.checksums.stored('/x', never)).toBeUndefined();
  });
});

describe('a datanode that the namenode names', () => {
  it('may have a name that does not resolve here: the error says so and that the namenode works', async () => {
    await using namenode = await ScriptedServer.start([
      redirect(`http://dn1.cluster.invalid:9864/webhdfs/v1/x?${QUERY}`),
    ]);
    await using fs = clientOf([namenode.url]);
    for (const work of [() => get(fs, '/x', 5), () => put(fs, '/x', 'content')]) {
      const error = (await errorOf(work())) as Error;
      expect(error).toMatchObject({ name: 'TransportError', where: { host: 'dn1.cluster.invalid:9864' } });
      expect(error.message).toContain(`the namenode ${namenode.host} works`);
      expect(error.message).toContain('make the name dn1.cluster.invalid resolve on this machine');
    }
  });

  it.each<[string, () => Promise<string>]>([
    ['refuses the connection', async () => `${(await closedPort()).url}/webhdfs/v1/x?${QUERY}`],
    ['does not resolve', () => Promise.resolve(`http://dn1.cluster.invalid:9864/webhdfs/v1/x?${QUERY}`)],
    ['has a relative address', () => Promise.resolve(`/gateway/data?${QUERY}`)],
    ['has no address', () => Promise.resolve(`?${QUERY}`)],
    ['has an address that is none', () => Promise.resolve(`http://[broken/webhdfs/v1/x?${QUERY}`)],
    ['has an address of another scheme', () => Promise.resolve(`swebhdfs://dn1:9865/x?${QUERY}`)],
  ])('never has its token told when it %s', async (_what, location) => {
    const to = await location();
    await using namenode = await ScriptedServer.start([redirect(to)]);
    await using fs = clientOf([namenode.url], { retry_timeout: 0 });
    for (const work of [
      () => get(fs, '/x', 5),
      () => put(fs, '/x', 'content'),
      () => fs.checksums.stored('/x', never),
    ]) {
      const error = await errorOf(work());
      expect(error).toBeInstanceOf(FanoutError);
      expect(inspect(error, { depth: Infinity })).not.toContain(SECRET);
    }
  });

  it.each<[string, Answer]>([
    ['breaks off', (_request, response) => response.destroy()],
    ['refuses', remoteException('IOException', 'no')],
    ['redirects', redirect(`http://127.0.0.1:1/?${QUERY}`)],
    ['breaks off in the body', cutAfter(1, 5)],
  ])('never has its token told when it %s', async (_what, answer) => {
    await using both = await pair([answer], { retry_timeout: 0 });
    for (const work of [
      () => get(both.fs, '/x', 5),
      () => put(both.fs, '/x', 'content'),
      () => both.fs.checksums.stored('/x', never),
    ]) {
      const error = await errorOf(work());
      expect(error).toBeInstanceOf(FanoutError);
      expect(inspect(error, { depth: Infinity })).not.toContain(SECRET);
    }
  });

  it('is not shown to whoever holds what served a file', async () => {
    await using both = await pair([{ text: 'hello' }]);
    const { near, cancel } = await both.fs.read('/x', allBytes(5), never);
    expect(inspect(near, { depth: Infinity, showHidden: true }) + JSON.stringify(near)).not.toContain(SECRET);
    cancel();
  });
});
