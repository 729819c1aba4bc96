import { FanoutError } from '../errors.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { join } from '../hdfs/path.ts';
import type { Job } from './job-store.ts';
import { attributesOf } from './plan.ts';
import { preserve } from './preserve.ts';
import { walk } from './walk.ts';

/**
 * Sets the directories' attributes, bottom-up, since everything that was written below them changed their times.
 * The source is walked again: nothing holds all paths. Safe to run again.
 *
 * @returns how many directories each attribute could not be set on
 */
export async function finishDirectories(
  job: Job,
  source: FileSystem,
  destination: FileSystem,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const warnings: Record<string, number> = {};
  if (!job.spec.options.preserve || job.spec.options.filesOnly) return warnings;
  for (const root of job.roots) {
    if (root.kind !== 'directory') continue;
    const status = await source.stat(root.source, signal);
    if (!status) continue;
    const leave = async ({ path, status: { ...directory } }: { path: string; status: typeof status }) => {
      const what = {
        source,
        from: join(root.source, path),
        destination,
        to: join(root.destination, path),
        attributes: attributesOf(directory),
        kind: 'directory' as const,
      };
      for (const attribute of await preserveDirectory(what, signal)) {
        warnings[attribute] = (warnings[attribute] ?? 0) + 1;
      }
    };
    await walk({ source, root: root.source }, status, { leave }, signal);
  }
  return warnings;
}

async function preserveDirectory(what: Parameters<typeof preserve>[0], signal: AbortSignal): Promise<string[]> {
  try {
    return await preserve(what, false, signal);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return [error.name];
  }
}
