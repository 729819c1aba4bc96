import pLimit from 'p-limit';
import { FanoutError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { isWithin, join } from '../storage/path.ts';
import { type Log, silentLog } from '../log.ts';
import { attributesOf, chosenAttributes } from '../preserve/attributes.ts';
import { type Loss, reasonOf, tellOnce } from '../preserve/losses.ts';
import { preserve, type Wanted } from '../preserve/preserve.ts';
import type { Entry } from '../plan/entry.ts';
import { walk, type WalkCursor } from '../plan/walk.ts';
import type { Job } from '../job/job.ts';

/** How far the directories' attributes are set. Plain JSON. */
export interface FinishCursor {
  /** Index of the root that is being walked; those before it are done. */
  readonly root: number;
  readonly walk: WalkCursor | undefined;
  /** How many directories each attribute could not be set on so far, and under `reasons.` why. */
  readonly warnings: Readonly<Record<string, number>>;
}

/** Directories whose attributes are set at once: nothing is made below them any more. */
const DIRECTORIES_AT_ONCE = 8;

/**
 * Sets the directories' attributes, at the end, since everything that was written below them changed their times. Only what
 * differs is sent: both trees are walked again, because nothing holds all paths. Safe to run again.
 *
 * @param isOver  asked between two entries; default: never
 * @returns how many directories each attribute could not be set on, or where it stopped
 */
export async function finishDirectories(
  job: Job,
  source: Storage,
  destination: Storage,
  signal: AbortSignal,
  isOver: () => boolean = () => false,
  from?: FinishCursor,
  log: Log = silentLog,
): Promise<{ readonly warnings: Record<string, number> } | { readonly cursor: FinishCursor }> {
  const warnings: Record<string, number> = { ...from?.warnings };
  const { options } = job.spec;
  if (!options.preserve || options.filesOnly) return { warnings };
  const limit = pLimit(DIRECTORIES_AT_ONCE);
  for (const [index, root] of job.roots.entries()) {
    if (root.kind !== 'directory' || index < (from?.root ?? 0)) continue;
    const status = await source.stat(root.source, signal);
    const there = await destination.stat(root.destination, signal);
    if (!status || there?.kind !== 'directory') continue;
    const setting = new Map<Promise<void>, string>();
    const failed: unknown[] = [];
    const leave = async ({ path, source: status, destination: present }: Entry) => {
      // What is not there was not made, and is counted as failed.
      if (!status || present?.kind !== 'directory') return;
      if (failed.length > 0) throw failed[0];
      // A directory that is closed before those below it are would keep them from being set.
      const below = [...setting].flatMap(([work, of]) => (isWithin(`/${of}`, `/${path}`) ? [work] : []));
      const work = Promise.all(below)
        .then(() =>
          limit(async () => {
            for (const name of await settle(
              job,
              root,
              { path, status, destination: present },
              { source, destination, log },
              signal,
            )) {
              warnings[name] = (warnings[name] ?? 0) + 1;
            }
          }),
        )
        .catch((error: unknown) => void failed.push(error));
      setting.set(work, path);
      void work.finally(() => setting.delete(work));
      if (setting.size >= 2 * DIRECTORIES_AT_ONCE) await Promise.race(setting.keys());
    };
    const lost = (_: Entry, error: FanoutError) => {
      for (const name of ['directory not listed', `reasons.directory not listed: ${error.message}`]) {
        warnings[name] = (warnings[name] ?? 0) + 1;
      }
    };
    const stretch = { isOver, from: from?.root === index ? from.walk : undefined };
    const trees = {
      source: { storage: source, root: root.source, status },
      destination: { storage: destination, root: root.destination, status: there },
    };
    let stopped: WalkCursor | undefined;
    try {
      stopped = await walk(trees, { leave, lost, blocked: lost }, signal, stretch);
    } finally {
      // Nothing of it is on its way when this returns, whatever ended it.
      await Promise.all(setting.keys());
    }
    if (failed.length > 0) throw failed[0];
    if (stopped) return { cursor: { root: index, walk: stopped, warnings } };
  }
  return { warnings };
}

/** @returns what is counted: attributes, and under `reasons.` why each was not kept */
async function settle(
  { spec: { options } }: Job,
  root: Job['roots'][number],
  { path, status, destination: there }: { path: string; status: FileStatus; destination: FileStatus },
  { source, destination, log }: { source: Storage; destination: Storage; log: Log },
  signal: AbortSignal,
): Promise<string[]> {
  const [from, to] = [join(root.source, path), join(root.destination, path)];
  const chosen = chosenAttributes(options);
  const attributes = attributesOf(status);
  const carried = destination.hadoop && source.hadoop;
  const access = chosen.has('permission') || chosen.has('acl');
  const wanted: Wanted = {
    owner: carried && chosen.has('owner') ? attributes.owner : undefined,
    group: carried && chosen.has('group') ? attributes.group : undefined,
    permission: access ? attributes.permission : undefined,
    acl: attributes.hasAcl ? async () => source.hadoop?.acl(from, signal) : undefined,
    setsAcl: chosen.has('acl') && destination.hadoop !== undefined,
    modifiedAtMs: chosen.has('times') ? attributes.modifiedAtMs : undefined,
    xattrs: carried && chosen.has('xattr') ? () => carried.xattrs(from, signal) : undefined,
  };
  const present = attributesOf(there);
  try {
    const guarded = { storage: destination, path: to, kind: 'directory' as const, present, isNew: false };
    const { losses: own } = await preserve(wanted, guarded, false, signal);
    const losses = [
      ...own,
      ...(chosen.has('ecpolicy') ? await policyLosses(status, there, destination, to, signal) : []),
    ];
    tellOnce(log, losses);
    return losses.flatMap((loss) => [loss.attribute, `reasons.${reasonOf(loss)}`]);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return [error.name];
  }
}

/** Of a directory that stood there before, and of one whose policy was refused while planning. */
async function policyLosses(
  { ecPolicy }: FileStatus,
  there: FileStatus,
  destination: Storage,
  to: string,
  signal: AbortSignal,
): Promise<Loss[]> {
  if (ecPolicy === undefined || ecPolicy === there.ecPolicy) return [];
  try {
    await destination.hadoop?.setErasureCodingPolicy(to, ecPolicy, signal);
    return [];
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return [{ attribute: 'ecpolicy', error }];
  }
}
