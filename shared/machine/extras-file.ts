import { open, rename, rm } from 'node:fs/promises';
import type { ExtrasFile } from '../finish/finishing.ts';
import { messageOf, printable, StateError } from '../errors.ts';

/** Written at once, bytes. */
const WRITTEN_BYTES = 256 * 1024;

/** A list of what only the destination has: one JSON object a line. It gets its name when it is whole. */
export async function extrasFile(path: string): Promise<ExtrasFile> {
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
  const write = async () => {
    const lines = text;
    text = '';
    await written(() => handle.writeFile(lines));
  };
  return {
    async add({ kind, bytes, modifiedAtMs }, at) {
      const modified = new Date(modifiedAtMs).toISOString();
      text += `${JSON.stringify({ path: at, kind, ...(kind === 'file' ? { bytes } : {}), modified })}\n`;
      if (text.length >= WRITTEN_BYTES) await write();
    },
    async close() {
      await write();
      await handle.close();
      await written(() => rename(unfinished, path));
    },
    async discard() {
      await handle.close();
      await rm(unfinished, { force: true });
    },
  };
}
