import { FanoutError, SourceVanishedError } from '../errors.ts';
import { decorated } from '../storage/decorated.ts';
import { hasCode } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * A source whose listings say so when a directory is gone: what a walk loses it loses to either side, and only of the source does it mean that
 * nothing is left to copy.
 */
export function vanishing(source: Storage): Storage {
  return decorated(source, {
    async *list(directory, signal, after) {
      try {
        yield* source.list(directory, signal, after);
      } catch (error) {
        if (error instanceof FanoutError && error.where && hasCode(error, 'not-found'))
          throw new SourceVanishedError(error.where);
        throw error;
      }
    },
  });
}
