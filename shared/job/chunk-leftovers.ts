import { forEach } from '../for-each.ts';
import { withdraw } from '../storage/promote.ts';
import type { Storage } from '../storage/storage.ts';
import type { RetryPolicy } from '../retry.ts';
import { backupOf } from './backup.ts';
import { chunkPaths } from './chunk.ts';
import { mayReplace } from './existing.ts';
import type { Job } from './job.ts';
import { destinationPathOf, type SplitFile } from './unit.ts';

/** Names that are deleted at once. */
const AT_ONCE = 16;
/** For putting an old file back. */
const policy: RetryPolicy = { attempts: 5, totalMs: 60_000, baseMs: 250, capMs: 5000 };

/** Deletes by name what stands of a split file's chunks; an old file that the first one was to replace gets its name again. */
export async function takeChunksBack(
  destination: Storage,
  job: Job,
  unit: SplitFile,
  signal: AbortSignal,
): Promise<void> {
  const finalPath = destinationPathOf(job.roots, unit);
  const [first = '', ...others] = chunkPaths(job, unit);
  const overwrite = mayReplace(job.spec.options.existing);
  const backup = backupOf(job, destination);
  await withdraw({ storage: destination, temporary: first, finalPath, overwrite, backup }, policy, signal);
  await forEach(others, AT_ONCE, signal, async (path, both) => {
    await destination.delete(path, both);
  });
}
