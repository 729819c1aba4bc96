import type { ExtrasFile } from '../finish/finishing.ts';
import { linesFile } from './lines-file.ts';

/** A list of what only the destination has. It gets its name when it is whole. */
export async function extrasFile(path: string): Promise<ExtrasFile> {
  const lines = await linesFile(path);
  return {
    add({ kind, bytes, modifiedAtMs }, at) {
      const modified = new Date(modifiedAtMs).toISOString();
      return lines.add({ path: at, kind, ...(kind === 'file' ? { bytes } : {}), modified });
    },
    close: () => lines.close(),
    discard: () => lines.discard(),
  };
}
