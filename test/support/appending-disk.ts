import { appendFile, stat, truncate } from 'node:fs/promises';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { decorated } from '../../shared/storage/decorated.ts';
import type { Storage } from '../../shared/storage/storage.ts';

/** A disk that files can be added to, in blocks of this many bytes. */
export function appendingDisk(blockBytes: number): Storage {
  const disk = new LocalDisk(65_536);
  return decorated(disk, {
    async stat(path, signal) {
      const status = await disk.stat(path, signal);
      return status && { ...status, blockBytes };
    },
    closedLength: async (path) => (await stat(path)).size,
    appending: {
      refusal: () => undefined,
      async append(path, body) {
        for await (const piece of body) await appendFile(path, piece);
        return {};
      },
      async truncate(path, lengthBytes) {
        await truncate(path, lengthBytes);
        return true;
      },
    },
  });
}
