import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebHdfs } from '../../../../shared/hdfs/webhdfs.ts';
import { clusterSchema } from '../../../../shared/hdfs/cluster.ts';
import { silentLog } from '../../../../shared/log.ts';
import { allBytes } from '../../../../shared/storage/storage.ts';
import { allOf, never } from '../../../support/files.ts';
import { type Answer, ScriptedServer } from '../../../support/scripted-server.ts';

const status = (pathSuffix: string) => ({
  pathSuffix,
  type: 'FILE',
  length: 1,
  modificationTime: 1,
  accessTime: 1,
  blockSize: 1,
  replication: 1,
  owner: 'o',
  group: 'g',
  permission: '644',
  fileId: 1,
});
const page = (names: readonly string[], remainingEntries: number): Answer => ({
  json: {
    DirectoryListing: { partialListing: { FileStatuses: { FileStatus: names.map(status) } }, remainingEntries },
  },
});
const busy: Answer = { status: 503, headers: { 'retry-after': '0' }, text: 'busy' };

/** A client that counts the turns of its requests, and gives none before it is told to. */
function counting(url: string) {
  const turns = { asked: 0, signals: new Set<AbortSignal>() };
  const cluster = clusterSchema.parse({ name: 'c', user: 'u', nameservices: [{ urls: [url], mounts: ['/'] }] });
  const turn = (signal: AbortSignal) => {
    turns.asked += 1;
    turns.signals.add(signal);
    return Promise.resolve();
  };
  return { turns, client: new WebHdfs(cluster, silentLog, undefined, 'known', turn) };
}

test('every request to a namenode has its turn: each page of a listing, and each try', async () => {
  await using server = await ScriptedServer.start([busy, page(['a'], 1), busy, page(['b'], 0)]);
  const { turns, client } = counting(server.url);
  expect((await allOf(client.list('/d', never))).flat().map(({ name }) => name)).toEqual(['a', 'b']);
  expect(server.requests.length).toBe(4);
  expect(turns.asked).toBe(4);
  expect([...turns.signals]).toEqual([never]);
  await client.close();
});

test('what goes to a datanode has none', async () => {
  await using datanode = await ScriptedServer.start([{ text: '1' }]);
  await using server = await ScriptedServer.start([
    { status: 307, headers: { location: `${datanode.url}/webhdfs/v1/f?op=OPEN&offset=0` } },
  ]);
  const { turns, client } = counting(server.url);
  const { body } = await client.read('/f', allBytes(1), never);
  expect(Buffer.concat(await allOf(body)).toString()).toBe('1');
  expect(datanode.requests.length).toBe(1);
  expect(turns.asked).toBe(1);
  await client.close();
});

test('the time that is waited for a turn is not taken from the tries of a request', async () => {
  await using server = await ScriptedServer.start([busy, page(['a'], 0)]);
  const cluster = clusterSchema.parse({
    name: 'c',
    user: 'u',
    retry_timeout: 0.5,
    nameservices: [{ urls: [server.url], mounts: ['/'] }],
  });
  const client = new WebHdfs(cluster, silentLog, undefined, 'known', () => sleep(600));
  expect((await allOf(client.list('/d', never))).flat().map(({ name }) => name)).toEqual(['a']);
  expect(server.requests.length).toBe(2);
  await client.close();
});

test('a request that waits for its turn is not sent, and is let go by its signal', async () => {
  await using server = await ScriptedServer.start([page([], 0)]);
  const cluster = clusterSchema.parse({ name: 'c', user: 'u', nameservices: [{ urls: [server.url], mounts: ['/'] }] });
  const turn = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const client = new WebHdfs(cluster, silentLog, undefined, 'known', turn);
  const stop = new AbortController();
  const stat = client.stat('/f', stop.signal);
  stop.abort(new Error('stopped'));
  await expect(stat).rejects.toThrow('stopped');
  expect(server.requests).toEqual([]);
  await client.close();
});
