// A namenode and a datanode with a known knee: a directory of so many small files, of which one is served at a time. Prints its port.
//
// usage: node knee-server.ts FILES ANSWER-MS SERVICE-MS
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [files = 0, answerMs = 0, serviceMs = 0] = process.argv.slice(2).map(Number);
const content = Buffer.alloc(1000, 7);

const entry = (pathSuffix: string, type: 'FILE' | 'DIRECTORY') => ({
  pathSuffix,
  type,
  length: type === 'FILE' ? content.length : 0,
  modificationTime: 1,
  accessTime: 1,
  blockSize: 1024 * 1024,
  replication: 1,
  owner: 'root',
  group: 'supergroup',
  permission: type === 'FILE' ? '644' : '755',
  fileId: 16_390,
});

const answerTo = (operation: string, path: string): object | undefined => {
  const isTree = path === '/tree';
  if (operation === 'GETFILESTATUS') return { FileStatus: entry('', isTree ? 'DIRECTORY' : 'FILE') };
  if (operation === 'GET_BLOCK_LOCATIONS') {
    return { LocatedBlocks: { fileLength: content.length, isUnderConstruction: false, locatedBlocks: [] } };
  }
  if (operation !== 'LISTSTATUS' || !isTree) return undefined;
  const names = Array.from({ length: files }, (_, index) => entry(String(index).padStart(6, '0'), 'FILE'));
  return { FileStatuses: { FileStatus: names } };
};

let served = Promise.resolve();
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const path = decodeURIComponent(pathname);
  const operation = searchParams.get('op') ?? '';
  const answer = async (): Promise<void> => {
    await sleep(answerMs);
    if (path.startsWith('/datanode')) {
      served = served.then(() => sleep(serviceMs));
      await served;
      response.writeHead(200, { 'content-length': content.length }).end(content);
    } else if (operation === 'OPEN') {
      const location = `http://127.0.0.1:${(server.address() as AddressInfo).port}/datanode${path}?op=OPEN`;
      response.writeHead(307, { location, 'content-length': 0 }).end();
    } else {
      const found = answerTo(operation, path.replace('/webhdfs/v1', ''));
      const refusal = { RemoteException: { exception: 'UnsupportedOperationException', message: operation } };
      response.writeHead(found ? 200 : 400, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found ?? refusal));
    }
  };
  void answer();
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
