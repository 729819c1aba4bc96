import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestHdfs } from './hdfs.ts';

/** What the writer announces and never sends, so that the datanode goes on waiting for it. */
const ANNOUNCED_BYTES = 1_000_000;
/** The datanode's own client holds back what does not fill its buffer: nine checksum chunks. */
const BUFFER_BYTES = 9 * 512;
/** A packet is sent once it is full, or at the end of a block. */
const PACKET_BYTES = 64 * 1024;

/** A file that somebody has begun to write. */
export interface OpenFile extends AsyncDisposable {
  /** Lets go of it, as a writer does that dies: HDFS closes the file with what had come. Resolves once it is closed. */
  close(): Promise<void>;
}

/**
 * Holds a file open for writing, with the first `bytes` bytes of it sent, in blocks of 1,024 bytes unless told otherwise.
 * A listing shows the length of its blocks but the last; under 4,608 bytes it has none. Resolves once the namenode knows
 * the blocks.
 */
export async function openFile(
  hdfs: TestHdfs,
  path: string,
  bytes: number,
  parameters: Record<string, string> = {},
): Promise<OpenFile> {
  const create = { overwrite: 'true', blocksize: '1024', ...parameters };
  const { location } = await hdfs.call('PUT', 'CREATE', path, create);
  if (location === undefined) throw new Error(`CREATE ${path} was not redirected`);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': ANNOUNCED_BYTES };
  const upload = request(location, { method: 'PUT', headers, agent: false });
  let refusal: Error | undefined;
  upload.on('error', (error) => (refusal = error));
  upload.on('response', ({ statusCode }) => (refusal = new Error(`CREATE ${path}: ${statusCode}`)));
  upload.write(Buffer.alloc(bytes, 'x'));
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => upload.once('close', resolve));
    upload.destroy();
    await closed;
    while ((await blocksOf(hdfs, path))?.isUnderConstruction === true) await sleep(20);
  };
  const sent = bytes - (bytes % BUFFER_BYTES);
  const blocks = Math.max(Math.floor(sent / Number(create.blocksize)), sent >= PACKET_BYTES ? 1 : 0);
  for (;;) {
    if (refusal !== undefined) throw refusal;
    const found = await blocksOf(hdfs, path);
    if (found?.isUnderConstruction === true && found.locatedBlocks.length >= blocks) break;
    await sleep(20);
  }
  return { close, [Symbol.asyncDispose]: close };
}

interface LocatedBlocks {
  readonly isUnderConstruction: boolean;
  readonly locatedBlocks: readonly unknown[];
}

/** Undefined while there is no such file. */
async function blocksOf(hdfs: TestHdfs, path: string): Promise<LocatedBlocks | undefined> {
  if (!(await hdfs.exists(path))) return undefined;
  return (await hdfs.json<{ LocatedBlocks: LocatedBlocks }>('GET_BLOCK_LOCATIONS', path)).LocatedBlocks;
}
