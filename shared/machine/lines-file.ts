import { open, rename, rm } from 'node:fs/promises';
import { messageOf, printable, StateError } from '../errors.ts';

/** Written at once, bytes. */
const WRITTEN_BYTES = 256 * 1024;

/** A file of JSON objects, one a line. */
export interface LinesFile {
  add(line: object): Promise<void>;
  /** Gives the file its name. What had that name before is replaced. */
  close(): Promise<void>;
  /** Leaves nothing of it. */
  discard(): Promise<void>;
}

/** A file that gets its name when it is whole. @throws StateError where it cannot be written, as do all its methods */
export async function linesFile(path: string): Promise<LinesFile> {
  const unfinished = `${path}.unfinished`;
  const written = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new StateError(`cannot write ${printable(path)}: ${messageOf(error)}`, 'make room on that disk', error);
    }
  };
  const handle = await written(() => open(unfinished, 'w', 0o600));
  let text = '';
  let writing = Promise.resolve();
  const write = () => {
    const lines = text;
    text = '';
    writing = writing.then(() => written(() => handle.writeFile(lines)));
    return writing;
  };
  return {
    async add(line) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length >= WRITTEN_BYTES) await write();
    },
    async close() {
      await write();
      await written(() => handle.sync());
      await handle.close();
      await written(() => rename(unfinished, path));
    },
    async discard() {
      await writing.catch(() => undefined);
      await handle.close();
      await rm(unfinished, { force: true });
    },
  };
}
