import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A namenode with a synthetic tree of any size, which no real one could hold here. Run as a process of its own:
 * `node endless-namenode.ts FILES`; prints its port. Half of the files lie in one directory, the rest in directories of 1,000.
 *
 * Speaks LISTSTATUS_BATCH, GETFILESTATUS, GETSERVERDEFAULTS and MKDIRS as a real namenode does (the contract suite
 * holds the client against a real one).
 */
const PAGE = 1000;
const files = Number(process.argv[2]);
const wide = files / 2;
const directories = (files - wide) / PAGE;

const name = (prefix: string, index: number) => `${prefix}${String(index).padStart(8, '0')}`;

const entry = (pathSuffix: string, type: 'FILE' | 'DIRECTORY') => ({
  accessTime: 1700000000000,
  blockSize: type === 'FILE' ? 134217728 : 0,
  childrenNum: 0,
  fileId: 16385,
  group: 'supergroup',
  length: type === 'FILE' ? 65536 : 0,
  modificationTime: 1700000000000,
  owner: 'hdfs',
  pathSuffix,
  permission: type === 'FILE' ? '644' : '755',
  replication: type === 'FILE' ? 3 : 0,
  storagePolicy: 0,
  type,
});

function children(path: string): { count: number; at: (index: number) => ReturnType<typeof entry> } {
  if (path === '/tree')
    return { count: directories + 1, at: (i) => entry(i < directories ? name('d', i) : 'wide', 'DIRECTORY') };
  return { count: path === '/tree/wide' ? wide : PAGE, at: (i) => entry(name('part-', i), 'FILE') };
}

function answer(operation: string, path: string, startAfter: string | null): object | undefined {
  if (operation === 'GETFILESTATUS') return path === '/tree' ? { FileStatus: entry('', 'DIRECTORY') } : undefined;
  if (operation === 'GETSERVERDEFAULTS')
    return { FsServerDefaults: { blockSize: 134217728, bytesPerChecksum: 512, checksumType: 2 } };
  if (operation === 'MKDIRS') return { boolean: true };
  if (operation !== 'LISTSTATUS_BATCH') return undefined;
  const { count, at } = children(path);
  const start = startAfter === null ? 0 : startAfter === 'wide' ? count : Number(startAfter.replace(/^\D+/, '')) + 1;
  const end = Math.min(count, start + PAGE);
  const FileStatus = Array.from({ length: end - start }, (_, i) => at(start + i));
  return { DirectoryListing: { partialListing: { FileStatuses: { FileStatus } }, remainingEntries: count - end } };
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = decodeURIComponent(url.pathname.replace('/webhdfs/v1', ''));
  const body = answer(url.searchParams.get('op') ?? '', path, url.searchParams.get('startAfter'));
  response.statusCode = body ? 200 : 404;
  response.setHeader('content-type', 'application/json');
  const missing = { RemoteException: { exception: 'FileNotFoundException', message: `File does not exist: ${path}` } };
  response.end(JSON.stringify(body ?? missing));
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
