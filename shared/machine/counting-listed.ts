import type { Progress } from '../copy/progress.ts';
import { decorated } from '../storage/decorated.ts';
import type { Storage } from '../storage/storage.ts';

/** A storage that tells how many entries its listings have given. */
export function countingListed(storage: Storage, { listed }: Pick<Progress, 'listed'>): Storage {
  return decorated(storage, {
    async *list(...directory) {
      for await (const page of storage.list(...directory)) {
        for (const { kind } of page) {
          if (kind === 'directory') listed.directories += 1;
          else listed.files += 1;
        }
        yield page;
      }
    },
  });
}
