import { FanoutError } from '../errors.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { join } from '../hdfs/path.ts';
import type { Job } from './job-store.ts';
import { attributesOf } from './plan.ts';
import { preserve } from './preserve.ts';
import { walk, type WalkCursor } from './walk.ts';

/** How far the directories' attributes are set. Plain JSON. */
export interface FinishCursor {
  /** Index of the root that is being walked; those before it are done. */
  readonly root: number;
  readonly walk: WalkCursor | undefined;
  /** How many directories each attribute could not be set on so far. */
  readonly warnings: Readonly<Record<string, number>>;
}

/**
 * Sets the directories' attributes, bottom-up, since everything that was written below them changed their times.
 * The source is walked again: nothing holds all paths. Safe to run again.
 *
 * @param isOver  asked between two entries; default: never
 * @returns how many directories each attribute could not be set on, or where it stopped
 */
export async function finishDirectories(
  job: Job,
  source: FileSystem,
  destination: FileSystem,
  signal: AbortSignal,
  isOver: () => boolean = () => false,
  from?: FinishCursor,
): Promise<{ readonly warnings: Record<string, number> } | { readonly cursor: FinishCursor }> {
  const warnings: Record<string, number> = { ...from?.warnings };
  if (!job.spec.options.preserve || job.spec.options.filesOnly) return { warnings };
  for (const [index, root] of job.roots.entries()) {
    if (root.kind !== 'directory' || index < (from?.root ?? 0)) continue;
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
    const stretch = { isOver, from: from?.root === index ? from.walk : undefined };
    const stopped = await walk({ source, root: root.source }, status, { leave }, signal, stretch);
    if (stopped) return { cursor: { root: index, walk: stopped, warnings } };
  }
  return { warnings };
}

async function preserveDirectory(what: Parameters<typeof preserve>[0], signal: AbortSignal): Promise<string[]> {
  try {
    return await preserve(what, false, signal);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return [error.name];
  }
}
