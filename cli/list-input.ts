import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { messageOf, SpecError } from '../shared/errors.ts';
import { ListOnDisk } from '../shared/machine/list-on-disk.ts';
import { listLines } from '../shared/plan/list-lines.ts';

/**
 * The bytes of a list that a flag names: a file, or `-` for stdin.
 * @throws SpecError when it cannot be read
 */
export async function* listInput(flag: string, file: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream = file === '-' ? addAbortSignal(signal, process.stdin) : createReadStream(file, { signal });
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    signal.throwIfAborted();
    throw new SpecError(`${flag}: ${file} cannot be read: ${messageOf(error)}`, undefined, error);
  }
}

/** The list of `--files-from`, for a command that keeps no job. @param root  that its paths lie in */
export async function listOnDisk(file: string, root: string, signal: AbortSignal): Promise<ListOnDisk> {
  const list = new ListOnDisk();
  await list.fill(listLines(listInput('--files-from', file, signal)), root);
  return list;
}
