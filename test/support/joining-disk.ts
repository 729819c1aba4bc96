import { appendFile, readFile, rm, stat } from 'node:fs/promises';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { decorated } from '../../shared/storage/decorated.ts';
import { StorageError } from '../../shared/storage/errors.ts';
import type { Storage } from '../../shared/storage/storage.ts';

/** Sources that one request takes. */
const A_ROUND = 2;

/** A disk that puts files together as a namenode does: all sources of a request or none. @param replaces  whether a rename can replace a file */
export function joiningDisk(replaces: boolean): Storage {
  return decorated(new LocalDisk(65_536), {
    replacesAtOnce: () => Promise.resolve(replaces),
    concatenation: {
      obstacle: () => Promise.resolve(undefined),
      blockBytes: () => Promise.resolve(4),
      async concatenate(target, sources) {
        const some = sources.slice(0, A_ROUND);
        const gone = () =>
          new StorageError('not-found', 'FileNotFoundException', '', { operation: 'CONCAT', path: target });
        const bodies = await Promise.all(some.map((source) => readFile(source).catch(() => Promise.reject(gone()))));
        await stat(target).catch(() => Promise.reject(gone()));
        await appendFile(target, Buffer.concat(bodies));
        await Promise.all(some.map((source) => rm(source)));
        return some.length;
      },
    },
  });
}

/** Waits before and after each request that changes or shows a file. @param gate  gets the request's name and whether it was done */
export function gated(inner: Storage, gate: (request: string, isDone: boolean) => Promise<void> | void): Storage {
  const through =
    <Arguments extends unknown[], Answer>(name: string, ask: (...args: Arguments) => Promise<Answer>) =>
    async (...args: Arguments): Promise<Answer> => {
      await gate(name, false);
      const answer = await ask(...args);
      await gate(name, true);
      return answer;
    };
  const { concatenation } = inner;
  return decorated(inner, {
    stat: through('stat', (...args) => inner.stat(...args)),
    rename: through('rename', (...args) => inner.rename(...args)),
    delete: through('delete', (...args) => inner.delete(...args)),
    ...(concatenation && {
      concatenation: {
        obstacle: (...args) => concatenation.obstacle(...args),
        blockBytes: (...args) => concatenation.blockBytes(...args),
        concatenate: through('concatenate', (...args) => concatenation.concatenate(...args)),
      },
    }),
  });
}
