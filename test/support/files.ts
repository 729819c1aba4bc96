import { allBytes, type Storage, type WriteOptions } from '../../shared/storage/storage.ts';

/** A signal that does not abort. */
export const never = new AbortController().signal;

/** Writes a file in one piece, and in the server's own way unless told otherwise. */
export async function put(
  fs: Storage,
  path: string,
  content: Buffer | string,
  options: Partial<WriteOptions> = {},
  signal = never,
) {
  const bytes = Buffer.from(content);
  const usual = { lengthBytes: bytes.length, blockBytes: undefined, replication: undefined, permission: undefined };
  return fs.write(path, pieces(bytes), { ...usual, overwrite: false, ...options }, signal);
}

/** Reads a file to its end. */
export async function get(fs: Storage, path: string, lengthBytes: number, signal = never): Promise<Buffer> {
  const { body } = await fs.read(path, allBytes(lengthBytes), signal);
  return bytesOf(body);
}

/** Everything of a body, each piece copied while it is good. */
export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** A body in pieces, the last one short. */
export async function* pieces(content: Buffer, size = 60_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield await Promise.resolve(content.subarray(at, at + size));
}

/** What a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it should have been refused, and was done');
    },
    (error: unknown) => error,
  );
}

/** Everything that an iterable gives. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
