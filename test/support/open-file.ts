import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestHdfs } from './hdfs.ts';

/** Bytes that a datanode lets through of an upload that stops: nine chunks of 512 bytes wait for each other. */
const FLUSHED = 9 * 512;
const BLOCK_BYTES = 1024;

/** A file that is being written for as long as this is not disposed of. Then it is closed with the bytes that were sent. */
export interface OpenFile extends AsyncDisposable {
  /** As a listing gives it: the length of the finished blocks. */
  readonly listedBytes: number;
}

/** Begins to write a file, in blocks of 1,024 bytes, or to append to one whose last block is full, and stops in the middle. */
export async function openFile(
  hdfs: TestHdfs,
  path: string,
  bytes: number,
  how: 'create' | 'append' = 'create',
): Promise<OpenFile> {
  const [method, operation] = how === 'create' ? (['PUT', 'CREATE'] as const) : (['POST', 'APPEND'] as const);
  const before = how === 'create' ? 0 : (await hdfs.status(path)).length;
  const parameters: Record<string, string> =
    how === 'create' ? { overwrite: 'true', blocksize: String(BLOCK_BYTES) } : {};
  const { location } = await hdfs.call(method, operation, path, parameters);
  if (location === undefined) throw new Error(`${operation} ${path} was not redirected`);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': 1_000_000 };
  const upload = http.request(location, { method, headers, agent: false });
  upload.on('error', () => undefined);
  upload.flushHeaders();
  upload.write(Buffer.alloc(bytes, 'w'));
  const listedBytes = before + (bytes < FLUSHED ? 0 : Math.floor(FLUSHED / BLOCK_BYTES) * BLOCK_BYTES);
  await until(() => isOpen(hdfs, path));
  await until(async () => (await hdfs.status(path)).length === listedBytes);
  const dispose = async () => {
    upload.destroy();
    await until(async () => !(await isOpen(hdfs, path)));
  };
  return { listedBytes, [Symbol.asyncDispose]: dispose };
}

export async function isOpen(hdfs: TestHdfs, path: string): Promise<boolean> {
  interface Located {
    LocatedBlocks: { isUnderConstruction: boolean };
  }
  const located = await hdfs
    .json<Located>('GET_BLOCK_LOCATIONS', path, { offset: '0', length: '1' })
    .catch(() => undefined);
  return located?.LocatedBlocks.isUnderConstruction === true;
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('it did not come about within 20 s');
}
