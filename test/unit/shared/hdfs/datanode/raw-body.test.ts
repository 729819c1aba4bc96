import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Connector } from '../../../../../shared/hdfs/connector.ts';
import { RawBody } from '../../../../../shared/hdfs/datanode/raw-body.ts';
import { tlsOptions } from '../../../../../shared/hdfs/tls.ts';
import { clusterSchema } from '../../../../../shared/hdfs/cluster.ts';
import { errorOf } from '../../../../support/files.ts';
import { content } from '../../../../support/odd-tree.ts';

const MIB = 1024 * 1024;
/** Longer than any test may take, where nothing is to be waited for. */
const LONG_MS = 300_000;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const head = (lengthBytes: number) => Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${lengthBytes}\r\n\r\n`);

/** A body whose server does with the connection as told, and the server's side of it. */
async function bodyOf(serve: (socket: Socket) => unknown, wantedBytes: number, idleMs = LONG_MS) {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    accepted.resolve(socket);
    void serve(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as { port: number };
  const cluster = clusterSchema.parse({ name: 'c', nameservices: [{ urls: ['http://nn'], mounts: ['/'] }] });
  const connector = new Connector({ tls: tlsOptions(cluster), connectMs: LONG_MS });
  const body = new RawBody(wantedBytes);
  body.attach(await connector.connect(`http://127.0.0.1:${address.port}`, undefined, body.onread), idleMs);
  return { body, served: await accepted.promise };
}

/** Everything of a body, each piece copied while it is good, with a pause after each. */
async function read(body: RawBody, pauseMs?: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) {
    pieces.push(Buffer.from(piece));
    if (pauseMs !== undefined) await sleep(pauseMs);
  }
  return Buffer.concat(pieces);
}

describe('RawBody', () => {
  it.each([1, 1000, 16 * 1024, 64 * 1024, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 5 * MIB + 7])(
    'gives %i bytes as they were sent',
    async (length) => {
      const bytes = content(`${length}`, length);
      const { body } = await bodyOf((socket) => socket.end(Buffer.concat([head(length), bytes])), length);
      expect(await body.head()).toBe(length);
      expect((await read(body)).equals(bytes)).toBe(true);
    },
  );

  it('gives a body that comes byte by byte, its head too', async () => {
    const bytes = content('slowly', 100);
    const serve = async (socket: Socket) => {
      for (const byte of Buffer.concat([head(100), bytes])) {
        socket.write(Buffer.of(byte));
        await sleep(1);
      }
    };
    const { body } = await bodyOf(serve, 100);
    expect(await body.head()).toBe(100);
    expect((await read(body)).equals(bytes)).toBe(true);
  });

  it.each([1, 100, 100_000])('gives %i bytes behind a long head that comes in pieces', async (length) => {
    const bytes = content(`${length}`, length);
    const long = Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(15_000)}\r\nContent-Length: ${length}\r\n\r\n`);
    const serve = async (socket: Socket) => {
      for (let at = 0; at < long.length; at += 1000) {
        socket.write(long.subarray(at, at + 1000));
        await sleep(2);
      }
      socket.end(bytes);
    };
    const { body } = await bodyOf(serve, length);
    expect(await body.head()).toBe(length);
    expect((await read(body)).equals(bytes)).toBe(true);
  });

  it('stops reading while its reader is busy, and loses nothing by it', async () => {
    const bytes = content('much', 16 * MIB);
    const { body, served } = await bodyOf(
      (socket) => socket.end(Buffer.concat([head(bytes.length), bytes])),
      bytes.length,
    );
    expect(await body.head()).toBe(bytes.length);
    const pieces = body[Symbol.asyncIterator]();
    const first = Buffer.from((await pieces.next()).value as Uint8Array);
    let sent = -1;
    // What the sockets and a few slabs hold has gone, and no more of it goes.
    await vi.waitFor(
      () => {
        const before = sent;
        sent = served.bytesWritten - served.writableLength;
        expect(sent).toBe(before);
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(served.writableLength).toBeGreaterThan(0);
    const rest: Buffer[] = [];
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) rest.push(Buffer.from(next.value));
    expect(Buffer.concat([first, ...rest]).equals(bytes)).toBe(true);
  });

  it('gives what is there when nothing more comes for a while', async () => {
    const { body, served } = await bodyOf(
      (socket) => socket.write(Buffer.concat([head(10), Buffer.from('hello')])),
      10,
    );
    expect(await body.head()).toBe(10);
    const pieces = body[Symbol.asyncIterator]();
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('hello');
    served.write('world');
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('world');
    expect((await pieces.next()).done).toBe(true);
  });

  it.each([
    ['in the head', head(10).subarray(0, 20)],
    ['before the body', head(10)],
    ['in the body', Buffer.concat([head(10), Buffer.from('hello')])],
  ])('throws when the connection ends %s', async (_where, sent) => {
    const { body } = await bodyOf((socket) => socket.end(sent), 10);
    const reading = body.head().then(() => read(body));
    expect(await errorOf(reading)).toMatchObject({ code: 'ECONNRESET' });
  });

  it('throws when a byte too many comes, and gives not even the last piece', async () => {
    const { body } = await bodyOf((socket) => socket.end(Buffer.concat([head(5), Buffer.from('hello!')])), 5);
    expect(await body.head()).toBe(5);
    expect(String(await errorOf(read(body)))).toContain('more bytes than it stated');
  });

  it('throws when nothing comes for too long', async () => {
    const { body } = await bodyOf((socket) => socket.write(Buffer.concat([head(10), Buffer.from('hello')])), 10, 200);
    expect(await body.head()).toBe(10);
    expect(await errorOf(read(body))).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('waits for ever while it is its reader who is slow', async () => {
    const bytes = content('slow reader', 4 * MIB);
    const { body } = await bodyOf(
      (socket) => socket.end(Buffer.concat([head(bytes.length), bytes])),
      bytes.length,
      300,
    );
    expect(await body.head()).toBe(bytes.length);
    const pieces = body[Symbol.asyncIterator]();
    const first = Buffer.from((await pieces.next()).value as Uint8Array);
    await sleep(1000);
    const rest: Buffer[] = [];
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) rest.push(Buffer.from(next.value));
    expect(Buffer.concat([first, ...rest]).equals(bytes)).toBe(true);
  });

  it('waits for its reader once all has come, although its server keeps the connection', async () => {
    const bytes = content('all of it', 300_000);
    const { body } = await bodyOf(
      (socket) => socket.write(Buffer.concat([head(bytes.length), bytes])),
      bytes.length,
      100,
    );
    expect(await body.head()).toBe(bytes.length);
    expect((await read(body, 300)).equals(bytes)).toBe(true);
  });

  it('takes what came while this process slept', async () => {
    const { body, served } = await bodyOf((socket) => socket.write(head(10)), 10, 200);
    expect(await body.head()).toBe(10);
    const reading = read(body);
    await sleep(50);
    served.write('hello');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    setTimeout(() => served.write('world'), 50);
    expect((await reading).toString()).toBe('helloworld');
  });

  it('waits without end where it is told to, once its head has come', async () => {
    const { body, served } = await bodyOf((socket) => socket.write(head(5)), 5, 100);
    expect(await body.head()).toBe(5);
    body.allow(0);
    setTimeout(() => served.write('hello'), 400);
    expect((await read(body)).toString()).toBe('hello');
  });

  it('throws when nothing more comes for too long after its reader was slow', async () => {
    const bytes = content('slow reader', 4 * MIB);
    const { body } = await bodyOf((socket) => socket.write(Buffer.concat([head(5 * MIB), bytes])), 5 * MIB, 100);
    expect(await body.head()).toBe(5 * MIB);
    let gotBytes = 0;
    const reading = async () => {
      for await (const piece of body) {
        if (gotBytes === 0) await sleep(300);
        gotBytes += piece.length;
      }
    };
    expect(await errorOf(reading())).toMatchObject({ code: 'ETIMEDOUT' });
    expect(gotBytes).toBe(bytes.length);
  });

  it('throws the reason that it is ended with, and closes its connection', async () => {
    const { body, served } = await bodyOf(
      (socket) => socket.write(Buffer.concat([head(10), Buffer.from('hello')])),
      10,
    );
    expect(await body.head()).toBe(10);
    const reason = new Error('stopped by the test');
    const closed = once(served, 'close');
    const reading = errorOf(read(body));
    await sleep(20);
    body.destroy(reason);
    expect(await reading).toBe(reason);
    await closed;
  });

  it('closes its connection when its reader stops', async () => {
    const { body, served } = await bodyOf(
      (socket) => socket.write(Buffer.concat([head(10), Buffer.from('hello')])),
      10,
    );
    const closed = once(served, 'close');
    await body.head();
    for await (const piece of body) if (piece.length > 0) break;
    await closed;
  });

  it.each([
    ['refusal', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nhello'],
    ['unfamiliar', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['unfamiliar', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(MIB)}`],
  ])('says %s of what it does not read', async (said, sent) => {
    const { body } = await bodyOf((socket) => socket.write(sent), 5);
    expect(await body.head()).toBe(said);
    body.destroy();
  });

  it('reads a refusal that comes byte by byte to its end', async () => {
    const text = JSON.stringify({ RemoteException: { exception: 'FileNotFoundException', message: 'é' } });
    const sent = `HTTP/1.1 404 Not Found\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
    const serve = async (socket: Socket) => {
      for (const byte of Buffer.from(sent)) {
        socket.write(Buffer.of(byte));
        await sleep(1);
      }
    };
    const { body } = await bodyOf(serve, 5);
    expect(await body.head()).toBe('refusal');
    expect(await body.refusal()).toMatchObject({ status: 404, text });
    body.destroy();
  });

  it.each([
    ['of no stated length', 'HTTP/1.1 403 Forbidden\r\n\r\nno'],
    ['in chunks', 'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'],
  ])('reads a refusal %s', async (_what, sent) => {
    const { body } = await bodyOf((socket) => socket.end(sent), 5);
    expect(await body.head()).toBe('refusal');
    expect(await body.refusal()).toMatchObject({ status: 403, text: 'no' });
    body.destroy();
  });

  it.each([
    ['that breaks off', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno'],
    ['that is longer than a slab', `HTTP/1.1 403 Forbidden\r\nContent-Length: ${MIB}\r\n\r\n${'x'.repeat(MIB)}`],
    [
      'that is none, behind an interim answer',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno',
    ],
  ])('leaves a refusal %s to a parser', async (_what, sent) => {
    const { body } = await bodyOf((socket) => socket.end(sent), 5);
    expect(await body.head()).toBe('refusal');
    expect(await body.refusal()).toBeUndefined();
    body.destroy();
  });

  it('says of what is no HTTP that it is none', async () => {
    const { body } = await bodyOf((socket) => socket.end('220 mail ESMTP\r\n\r\n'), 5);
    expect(await body.head()).toBe('refusal');
    expect(await errorOf(body.refusal())).toMatchObject({ name: 'HTTPParserError' });
    body.destroy();
  });
});
