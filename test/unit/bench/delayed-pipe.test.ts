import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { DelayedPipe } from '../../../bench/delayed-pipe.ts';

const open: { destroy: () => void }[] = [];
afterEach(() => open.splice(0).forEach((each) => each.destroy()));

const listen = async (onSocket: (socket: Socket) => void): Promise<number> => {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    open.push(socket);
    onSocket(socket.on('error', () => undefined));
  });
  open.push({ destroy: () => server.close() });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** A client whose every byte goes through two delayed pipes to a server. */
const throughPipes = async (onSocket: (socket: Socket) => void, delayMs: number, notBeforeMs = 0): Promise<Socket> => {
  const port = await listen(onSocket);
  const proxy = await listen((near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    new DelayedPipe(near, far, { delayMs, notBeforeMs: performance.now() + notBeforeMs });
    new DelayedPipe(far, near, { delayMs, notBeforeMs: 0 });
  });
  const client = connect({ port: proxy, host: '127.0.0.1', allowHalfOpen: true });
  open.push(client.on('error', () => undefined));
  return client;
};

describe('a delayed pipe', () => {
  it('passes every byte on in its order, and the end', async () => {
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    const client = await throughPipes((socket) => socket.pipe(socket), 5);
    client.end(sent);
    expect((await buffer(client)).equals(sent)).toBe(true);
  });

  it('gives back no answer before a round trip is over, and no first one before two', async () => {
    const client = await throughPipes((socket) => socket.pipe(socket), 20, 60);
    const begunAtMs = performance.now();
    client.write('first');
    await once(client, 'data');
    const firstMs = performance.now() - begunAtMs;
    client.write('second');
    await once(client, 'data');
    const secondMs = performance.now() - begunAtMs - firstMs;
    expect(firstMs).toBeGreaterThanOrEqual(79);
    expect(secondMs).toBeGreaterThanOrEqual(39);
  });

  it('breaks off for whoever is left when the other is gone', async () => {
    const client = await throughPipes((socket) => socket.resetAndDestroy(), 5);
    client.write('anybody there?');
    await expect(once(client.resume(), 'close')).rejects.toThrow('ECONNRESET');
  });

  it('stops reading while the reader does not', async () => {
    const writers: Socket[] = [];
    const client = await throughPipes((socket) => void writers.push(socket), 5);
    client.write(Buffer.alloc(64 * 1024 * 1024));
    client.end();
    await expect.poll(() => writers.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(client.writableLength).toBeGreaterThan(0);
    const [server] = writers;
    expect(server && (await buffer(server)).length).toBe(64 * 1024 * 1024);
  });
});
