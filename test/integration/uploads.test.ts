import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, inject, test } from 'vitest';
import { errorOf, never, pieces, put } from '../support/files.ts';
import { content } from '../support/odd-tree.ts';
import { clientOf } from '../support/scripted-server.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const MIB = 1024 * 1024;
const options = { replication: undefined, permission: undefined, overwrite: false };

/** A relay before a server, which counts connections and can end them all. */
async function relayTo(url: string) {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const upstream = connect(Number(port), hostname);
    sockets.push(socket);
    for (const end of [socket, upstream]) end.on('error', () => undefined);
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    sockets,
    end,
    [Symbol.asyncDispose]: async () => {
      end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.concurrent('a datanode', () => {
  test('refuses in the middle of many bodies, and each time the reason is told', async () => {
    const { root, b } = await TwoClusters.make(bed, 'uploads-quota');
    await using fs = clientOf([bed.b], { user: 'root', timeout: 60 });
    const refusals = Array.from({ length: 12 }, async (_, i) => {
      const directory = `${root}/${i}`;
      await b.mkdirs(directory);
      await b.call('PUT', 'SETQUOTA', directory, { storagespacequota: String(3 * MIB) });
      const bytes = Buffer.alloc(24 * MIB, i);
      const layout = { ...options, blockBytes: MIB, lengthBytes: bytes.length };
      return errorOf(fs.write(`${directory}/file`, pieces(bytes, 256 * 1024), layout, never));
    });
    for (const error of await Promise.all(refusals)) {
      expect(error).toMatchObject({ name: 'StorageError', code: 'quota' });
      expect((error as Error).message).toContain('The DiskSpace quota of');
    }
  });

  test('has ended an upload that was stopped before that returns: what is deleted stays so', async () => {
    const { root, b } = await TwoClusters.make(bed, 'uploads-stopped');
    await using fs = clientOf([bed.b], { user: 'root', timeout: 60 });
    const uploads = Array.from({ length: 10 }, async (_, i) => {
      const stop = new AbortController();
      const reason = new Error('stopped by the test');
      async function* body() {
        if (i % 2 === 0) yield Buffer.alloc(MIB);
        stop.abort(reason);
        await new Promise(() => undefined);
      }
      const path = `${root}/file${i}`;
      const layout = { ...options, blockBytes: undefined, lengthBytes: 100 * MIB };
      expect(await errorOf(fs.write(path, body(), layout, stop.signal))).toBe(reason);
      await fs.delete(path, never);
    });
    await Promise.all(uploads);
    expect(await b.tree(root)).toEqual({});
  });
});

describe.concurrent('HttpFS', () => {
  test('gets many small files over few connections, whole', async () => {
    const { root, a } = await TwoClusters.make(bed, 'uploads-kept');
    await using relay = await relayTo(bed.httpFs);
    await using fs = clientOf([relay.url], { user: 'root', timeout: 60 });
    for (let i = 0; i < 30; i++) await put(fs, `${root}/f${i}`, content(`${i}`, i * 8000));
    // One for the requests, one for the bodies.
    expect(relay.sockets.length).toBeLessThanOrEqual(2);
    for (let i = 0; i < 30; i++) expect((await a.get(`${root}/f${i}`)).equals(content(`${i}`, i * 8000))).toBe(true);
  });

  test('may end its connections between any two files: none fails by it', async () => {
    const { root, a } = await TwoClusters.make(bed, 'uploads-stale');
    await using relay = await relayTo(bed.httpFs);
    await using fs = clientOf([relay.url], { user: 'root', timeout: 60 });
    for (let i = 0; i < 20; i++) {
      const writing = put(fs, `${root}/f${i}`, content(`${i}`, 5000));
      if (i % 3 > 0) relay.end();
      await writing;
    }
    expect(Object.keys(await a.tree(root))).toHaveLength(20);
  });
});
