import { FanoutError, RefusedError } from '../errors.ts';
import { type EarlierJob, type Look, lookOf } from '../job/base.ts';
import type { JobStore } from '../job/job-store.ts';
import { endsPlanned, type Job } from '../job/job.ts';
import { livePath, type Root } from '../job/root.ts';
import { jobOfSnapshot, snapshotName } from '../job/snapshot.ts';
import { hasCode } from '../storage/errors.ts';
import { isWithin, snapshotPath } from '../storage/path.ts';
import type { Snapshots } from '../storage/capabilities.ts';
import type { Storage } from '../storage/storage.ts';
import { gatherChanges, type Renamed } from './changes.ts';
import { identityOf } from './identity.ts';
import { listLacking } from './lacking.ts';
import { type Narrowed, narrowedDestination, narrowedTo } from './narrowed.ts';
import { tellingOpen } from './open-files.ts';
import type { GrowingList } from './path-list.ts';
import { type Mirroring, planRenames } from './renames.ts';
import { rename } from './renaming.ts';
import { selection } from './selection.ts';

/** Jobs that are asked whether they have written to the destination since the base. */
const MOST_JOBS = 500;
/** Directories that somebody removed at the destination: they are kept with the job. */
const MOST_LACKING = 200;
const LACKING_CHARACTERS = 32 * 1024;
/** Why nothing is renamed by a job that is to end with its plan: nothing changes its name before somebody has run that. */
const PLANNED = 'the plan waits to be run';

type Store = Pick<JobStore, 'get' | 'list' | 'counters' | 'update'>;

/** A job that copies from a snapshot, and where. */
export interface Snapshotting {
  readonly job: Job;
  readonly source: Storage;
  readonly destination: Storage;
  readonly store: Store;
  /** Empty; filled with what has changed. */
  readonly list: GrowingList;
  readonly signal: AbortSignal;
}

/**
 * Makes the snapshot of a job that is about to be planned, and finds out what of it has to be looked at. All of that is kept with the job before
 * anything changes at the destination. Safe to be killed in, and to run again.
 *
 * @param begins  whether nothing of a plan is kept that this one goes on with
 * @returns the job as it is now; without `narrowed` everything is looked at, and `begins` where a plan that was begun is not to be gone on with
 * @throws RefusedError where there is no snapshot and none can be made
 */
export async function prepareSnapshot(
  how: Snapshotting,
  begins: boolean,
): Promise<{ readonly job: Job; readonly narrowed?: Narrowed; readonly begins: boolean }> {
  const { source, store, signal } = how;
  let { job } = how;
  const keep = async (changes: Partial<Job>) => {
    await store.update(job.id, changes);
    job = { ...job, ...changes };
  };
  const keepSnapshot = async (changes: Partial<Job['snapshot']>) => {
    const { snapshot } = job;
    if (!snapshot) throw new Error('the job has no snapshot');
    await keep({ snapshot: { ...snapshot, ...changes } });
  };
  /** @param at  the destination, where renames that are planned and not made are made; left out: what was made is told */
  const renameAt = async (at?: Storage) => {
    const { renames, renamed, notRenamed = {} } = job.snapshot ?? {};
    if (!renames || renamed !== undefined) return;
    const { source: from, destination: root } = rootOf(job);
    const trees = { source, from, destination: at ?? how.destination, root, options: job.spec.options };
    const { made, notRenamed: left } = await rename(trees, renames, at !== undefined, signal);
    // An undo takes back what was made, and nothing else.
    await keepSnapshot({ renames: made, renamed: made.length, notRenamed: { ...notRenamed, ...left } });
  };
  const whole = async (why: string) => {
    await keepSnapshot({ whole: why });
    await renameAt();
    return { job, begins: true };
  };
  if (!job.snapshot) await keep(await takeSnapshot(job, source, signal));
  await requireSnapshot(job, source, signal);
  // Before anything of it is looked at.
  if (begins) await keepSnapshot({ destination: await identityOf(how.destination, rootOf(job).destination, signal) });
  if (job.snapshot?.whole !== undefined) {
    await renameAt();
    return { job, begins };
  }
  const fresh = begins || !job.snapshot?.since;
  let base: string | undefined;
  if (fresh) {
    const look = await lookNow({ ...how, job });
    if ('whole' in look) return whole(look.whole);
    // What an earlier planning has begun to make was found by what it had looked at.
    const earlier = (job.snapshot?.since ?? []).filter((name) => !look.since.includes(name));
    await keepSnapshot({ since: [...earlier, ...look.since] });
    base = look.base;
  }
  try {
    const narrowed = await narrowedView({ ...how, job });
    if (!narrowed) throw new Error('nothing is known of what has changed');
    if (!fresh) return { job, narrowed, begins };
    const lacking = await lackingOf({ ...how, job }, base);
    if (!lacking) return await whole(`the destination lacks more than ${MOST_LACKING} directories that it had`);
    if (lacking.length > 0) await keepSnapshot({ lacking });
    const { renames, more } = narrowed.renamed;
    if (job.spec.options.delete && renames.length + more > 0 && !job.snapshot?.renames) {
      const none = { renames: [], notRenamed: { [PLANNED]: renames.length + more } };
      const planned = endsPlanned(job)
        ? none
        : await planRenames(mirroringOf({ ...how, job }), narrowed.renamed, signal);
      await keepSnapshot(planned);
    }
    await renameAt(narrowed.destination);
    return { job, narrowed, begins: true };
  } catch (error) {
    const why = whyWhole(error, signal);
    if (why === undefined) throw error;
    return whole(why);
  }
}

/** What is known of the snapshot of a job that was just planned: which directory the mirror is, where planning has made it. */
export async function plannedSnapshot(
  job: Job,
  destination: Storage,
  signal: AbortSignal,
): Promise<Pick<Job, 'snapshot'>> {
  const { snapshot } = job;
  if (!snapshot || job.pass === 2) return {};
  const known = snapshot.destination ?? (await identityOf(destination, rootOf(job).destination, signal));
  return { snapshot: { ...snapshot, destination: known } };
}

/** The source of a job whose files are about to be planned, as `prepareSnapshot` has left it. */
export function plannedSource(job: Job, source: Storage): Storage {
  return job.snapshot ? tellingOpen(source, job.snapshot.root) : source;
}

/**
 * Both trees of a job as far as they are looked at; undefined where that is all of them.
 * @throws StorageError, RefusedError where what has changed cannot be told any more
 */
export async function narrowedView({
  job,
  source,
  destination,
  list,
  signal,
}: Omit<Snapshotting, 'store'>): Promise<(Narrowed & { readonly renamed: Renamed }) | undefined> {
  const root = rootOf(job);
  const { snapshot } = job;
  if (!snapshot?.since || snapshot.whole !== undefined) return undefined;
  const live = livePath(root);
  const within = belowRoot(snapshot.root, live);
  const names = [...snapshot.since, snapshotName(job.id)];
  const renamed = await gatherChanges({ storage: source, root: snapshot.root, within, live, names }, list, signal);
  for (const path of snapshot.lacking ?? []) list.add({ path, isListed: true });
  return {
    source: narrowedTo(list, source, root.source),
    destination: narrowedDestination(list, destination, root.destination),
    renamed,
  };
}

/** What renames are planned by, of a job that looks at what has changed. */
function mirroringOf({ job, source, destination }: Omit<Snapshotting, 'store' | 'list'>): Mirroring {
  const { destination: root, source: now, ...tree } = rootOf(job);
  const { root: top = '', since = [] } = job.snapshot ?? {};
  const { options } = job.spec;
  const live = livePath({ source: now, ...tree });
  const before = snapshotPath(top, since[0] ?? '', belowRoot(top, live));
  const chosen = selection(options, live);
  return { source, before, now, destination, root, options, selection: chosen, since: since.length };
}

/** Why everything is to be looked at in place of what an error keeps from being told; undefined where the error ends the job. */
export function whyWhole(error: unknown, signal: AbortSignal): string | undefined {
  if (signal.aborted || !(error instanceof FanoutError)) return undefined;
  const isKnown = error instanceof RefusedError || error.disposition !== 'fail-job';
  return isKnown ? error.message : undefined;
}

/** @throws RefusedError with what to do */
async function takeSnapshot(job: Job, source: Storage, signal: AbortSignal): Promise<Pick<Job, 'snapshot' | 'roots'>> {
  const root = rootOf(job);
  const { snapshots } = source;
  const path = livePath(root);
  const name = `${source.name}:${path}`;
  if (root.kind !== 'directory')
    throw new RefusedError(`${name} is a file: it has no snapshots`, 'leave out --snapshot');
  if (!snapshots) throw new RefusedError(`${name}: there are no snapshots`, 'leave out --snapshot');
  if (path.split('/').includes('.snapshot')) {
    throw new RefusedError(`${name} lies in a snapshot already`, 'leave out --snapshot');
  }
  const top = await snapshottable(snapshots, path, name, signal);
  try {
    await snapshots.create(top, snapshotName(job.id), signal);
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    const denied = 'its owner and the superuser may make snapshots: copy as one of them, or leave out --snapshot';
    const remedy = hasCode(error, 'denied') ? denied : (error.remedy ?? allowing(top));
    throw new RefusedError(`no snapshot of ${source.name}:${top} can be made: ${error.reason}`, remedy);
  }
  const image = snapshotPath(top, snapshotName(job.id), belowRoot(top, path));
  return { snapshot: { root: top }, roots: [{ ...root, source: image, live: path }] };
}

async function snapshottable(snapshots: Snapshots, path: string, name: string, signal: AbortSignal): Promise<string> {
  try {
    const top = await snapshots.rootOf(path, signal);
    if (top !== undefined) return top;
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    throw new RefusedError(
      `no snapshot of ${name} can be made: ${error.reason}`,
      error.remedy ?? 'leave out --snapshot',
    );
  }
  throw new RefusedError(`${name} is not snapshottable`, `let the superuser say: ${allowing(path)}`);
}

function allowing(path: string): string {
  return `hdfs dfsadmin -allowSnapshot ${path}`;
}

/** @throws RefusedError when the snapshot that a job copies from is gone */
export async function requireSnapshot(job: Job, source: Storage, signal: AbortSignal): Promise<void> {
  if (!job.snapshot) return;
  const { source: image } = rootOf(job);
  const status = await source.stat(image, signal);
  if (status) return;
  throw new RefusedError(
    `${source.name}:${image} is gone: the job cannot copy from its snapshot any more`,
    'copy again: a new job makes its own',
  );
}

/** What snapshots of other jobs let this one leave out. */
async function lookNow({ job, source, destination, store, signal }: Omit<Snapshotting, 'list'>): Promise<Look> {
  const { options } = job.spec;
  if (options.repair) return { whole: '--repair asks for it' };
  if (options.trackMissing !== '') return { whole: '--track-missing lists all that is missing' };
  if (options.delete && !(source.countEntries && destination.countEntries)) {
    return { whole: `${source.countEntries ? destination.name : source.name} does not tell how many files it has` };
  }
  const { snapshots } = source;
  if (!snapshots || !job.snapshot) throw new Error('the job has no snapshot');
  try {
    const names = new Set(await snapshots.names(job.snapshot.root, signal));
    const jobs = new Map<string, Job>();
    const listed = await store.list(MOST_JOBS);
    for (const other of listed) jobs.set(other.id, other);
    for (const name of names) {
      const id = jobOfSnapshot(name);
      const other = id === undefined || jobs.has(id) ? undefined : await store.get(id);
      if (other) jobs.set(other.id, other);
    }
    jobs.delete(job.id);
    const others: EarlierJob[] = [];
    for (const other of jobs.values()) {
      others.push({
        job: other,
        counters: other.snapshot ? await store.counters(other.id) : new Map<string, number>(),
      });
    }
    const look = lookOf(job, others, names, await identityOf(destination, rootOf(job).destination, signal));
    const [oldest] = 'since' in look ? look.since : [];
    const base = jobs.get(jobOfSnapshot(oldest ?? '') ?? '');
    const [first] = listed.slice(-1);
    if (base && first && listed.length === MOST_JOBS && first.startedAtMs > base.startedAtMs)
      return { whole: `there are more than ${MOST_JOBS} jobs since the base` };
    return look;
  } catch (error) {
    const why = whyWhole(error, signal);
    if (why === undefined) throw error;
    return { whole: why };
  }
}

/** What the destination lacks now, with what the chain's jobs found out after the base: they may have begun to make it, or left files of it out. */
async function lackingOf(how: Snapshotting, base: string | undefined): Promise<string[] | undefined> {
  const { job, source, destination, store, list, signal } = how;
  const root = rootOf(job);
  const inherited: string[] = [...(job.snapshot?.lacking ?? [])];
  for (const name of job.snapshot?.since ?? []) {
    if (name === base) continue;
    const other = await store.get(jobOfSnapshot(name) ?? '');
    inherited.push(...(other?.snapshot?.lacking ?? []));
  }
  for (const path of inherited) list.add({ path, isListed: true });
  const mirrored = {
    source: { storage: source, root: root.source },
    destination: { storage: destination, root: root.destination },
    selection: selection(job.spec.options, livePath(root)),
  };
  const found = await listLacking(mirrored, list, MOST_LACKING, signal);
  const all = [...new Set([...inherited, ...(found ?? [])])];
  const isShort = all.length <= MOST_LACKING && all.reduce((sum, path) => sum + path.length, 0) <= LACKING_CHARACTERS;
  return found && isShort ? all : undefined;
}

function rootOf({ roots }: Job): Root {
  const [root] = roots;
  if (!root) throw new Error('the job has no root');
  return root;
}

function belowRoot(root: string, path: string): string {
  if (!isWithin(path, root)) throw new Error(`${path} does not lie in ${root}`);
  return path === root ? '' : path.slice(root === '/' ? 1 : root.length + 1);
}
