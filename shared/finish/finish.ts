import { Checkpoint } from '../checkpoint.ts';
import { whyNoBase } from '../job/base.ts';
import { endingOf } from '../job/ending.ts';
import type { Job } from '../job/job.ts';
import type { JobStore } from '../job/job-store.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import type { Counters } from '../job/outcome.ts';
import { snapshotName } from '../job/snapshot.ts';
import { withSmallHeap } from '../memory.ts';
import { identityOf } from '../plan/identity.ts';
import { requireSnapshot } from '../plan/snapshot.ts';
import { type DirectoriesPosition, directoriesStart, setDirectories } from './directories.ts';
import type { DirectoryLosses } from './directory-losses.ts';
import type { Finishing } from './finishing.ts';
import { assembleFiles } from './assemble.ts';
import { deleteExtras } from './deletes.ts';
import { listExtras, seeksExtras } from './extras.ts';
import { isTriedAgain, sweep, type SweepPosition, sweepStart } from './sweep.ts';
import { recordDeaths } from './deaths.ts';
import { sweepLateParts } from './sweep-parts.ts';

/** How far the end of a job has come: the phase, and where it goes on in it. Plain JSON. */
export type FinishCursor =
  | { readonly phase: 'deaths'; readonly at: ManifestPosition }
  | { readonly phase: 'assemble'; readonly at: ManifestPosition }
  | { readonly phase: 'sweep'; readonly at: SweepPosition }
  | { readonly phase: 'parts'; readonly at: ManifestPosition }
  | { readonly phase: 'extras' }
  | { readonly phase: 'deletes'; readonly at: ManifestPosition }
  | { readonly phase: 'directories'; readonly at: DirectoriesPosition }
  | { readonly phase: 'status'; readonly losses: DirectoryLosses };

/** In place of a cursor: what something of another kind stood in the way of is to be planned now. */
const SECOND_PASS = 'second pass';

const phases: readonly string[] = [
  'deaths',
  'assemble',
  'sweep',
  'parts',
  'extras',
  'deletes',
  'directories',
  'status',
] satisfies FinishCursor['phase'][];

/**
 * Ends a job whose batches were all handed out: what dead copiers did not record fails, files that chunks copied are put together, what tries
 * may have left is deleted, and then what only the destination has; directories get their attributes, since a deletion changes their times,
 * and the job its status. Where something stood in the way of what is of another kind, and is deleted, the job goes on with a second pass before its
 * directories. The cursor is kept with the job every few seconds, and a finish goes on from it, whatever stopped the one before.
 *
 * @returns the ended job, or one that is to be planned and copied again, in its second pass; undefined when the time was over: call again
 * @throws IncompleteError when files are not accounted for: the job is then to be copied on, not finished
 */
export function finish(finishing: Finishing): Promise<Job | undefined> {
  const { job, store, isOver } = finishing;
  return withSmallHeap(async () => {
    // The one who was told so may have died: what waits is planned before anything else ends.
    if (job.pass === 2 && !job.typeChanges?.isPlanned) return { ...job, phase: 'planning' };
    if (job.phase !== 'finishing') await store.update(job.id, { phase: 'finishing' });
    let cursor = cursorIn(await store.finishCursor(job.id)) ?? { phase: 'deaths', at: manifestStart };
    while (cursor.phase !== 'status') {
      const next = await advance(cursor, finishing);
      if (next === SECOND_PASS) return beginSecondPass(job, store);
      cursor = next;
      await store.keepFinishCursor(job.id, cursor);
      if (isOver()) return undefined;
    }
    const { warnings, examples } = cursor.losses;
    const counters = await store.counters(job.id);
    const ended = endingOf(job, counters, warnings, examples);
    // Whatever vanished with it was never looked at. Where nothing did, it was there for as long as it was needed.
    if (!isComplete({ ...job, ...ended }, counters)) await requireSnapshot(job, finishing.source, finishing.signal);
    const ending = { ...ended, ...(ended.outcome === 'Successful' ? await sealed(finishing) : {}) };
    await store.endFinish(job.id, ending);
    // What was found out on the way, in this stretch or in earlier ones, is kept with the job alone.
    return { ...((await store.get(job.id)) ?? job), ...ending };
  });
}

/** Whether a job from a snapshot has done all that it was to do: whatever it had lost would be counted. */
function isComplete(job: Job, counters: Counters): boolean {
  const own = new Set([snapshotName(job.id)]);
  return whyNoBase(job, { job, counters }, own, job.snapshot?.destination) === undefined;
}

/** @returns undefined where another finish has begun it meanwhile: what the job does next is said by its record */
async function beginSecondPass({ id }: Job, store: JobStore): Promise<Job | undefined> {
  return (await store.beginSecondPass(id)) ? store.get(id) : undefined;
}

/** Takes back which directory the mirror was when it was planned, where it is another one now: that one is not what a later job may build on. */
async function sealed({ job, destination, signal }: Finishing): Promise<Partial<Job>> {
  const { snapshot, roots } = job;
  const [root] = roots;
  if (!snapshot || !root) return {};
  const identity = await identityOf(destination, root.destination, signal);
  return identity === snapshot.destination ? {} : { snapshot: { ...snapshot, destination: undefined } };
}

/**
 * For a job that is taken up again: whoever takes it up may have mended what directories' attributes were lost to, and they are then set
 * anew, with all that comes before them. So are deletions looked at anew: failed ones are taken back, and may stand anywhere before the cursor.
 */
export async function forgetLosses(
  { id, spec }: Pick<Job, 'id' | 'spec'>,
  store: Pick<JobStore, 'finishCursor' | 'keepFinishCursor'>,
): Promise<void> {
  const cursor = cursorIn(await store.finishCursor(id));
  const hasLosses =
    cursor?.phase === 'directories' && (spec.options.delete || Object.keys(cursor.at.losses.warnings).length > 0);
  if (hasLosses || cursor?.phase === 'deletes' || cursor?.phase === 'status') {
    await store.keepFinishCursor(id, undefined);
  }
}

/** Works on a phase until it is done or the time is over. @returns where to go on */
async function advance(
  cursor: Exclude<FinishCursor, { phase: 'status' }>,
  finishing: Finishing,
): Promise<FinishCursor | typeof SECOND_PASS> {
  const { job, store } = finishing;
  const { phase } = cursor;
  const checkpoint = <Position>() => new Checkpoint<Position>((at) => store.keepFinishCursor(job.id, { phase, at }));
  switch (cursor.phase) {
    case 'deaths': {
      const at = await recordDeaths(finishing, cursor.at, checkpoint());
      return at ? { phase: 'deaths', at } : { phase: 'assemble', at: manifestStart };
    }
    case 'assemble': {
      const at = await assembleFiles(finishing, cursor.at, checkpoint());
      return at ? { phase: 'assemble', at } : { phase: 'sweep', at: sweepStart };
    }
    case 'sweep': {
      const at = await sweep(finishing, isTriedAgain, cursor.at, checkpoint());
      return at ? { phase: 'sweep', at } : { phase: 'parts', at: manifestStart };
    }
    case 'parts': {
      const at = await sweepLateParts(finishing, cursor.at, checkpoint());
      if (at) return { phase: 'parts', at };
      return seeksExtras(job.spec.options) ? { phase: 'extras' } : { phase: 'directories', at: directoriesStart };
    }
    case 'extras':
      switch (await listExtras(finishing)) {
        case 'nothing to delete':
          return behindDeletes(finishing);
        case 'listed':
          return { phase: 'deletes', at: manifestStart };
        case 'stopped':
          return cursor;
      }
    case 'deletes': {
      const at = await deleteExtras(finishing, cursor.at, checkpoint());
      return at ? { phase: 'deletes', at } : behindDeletes(finishing);
    }
    case 'directories': {
      const stopped = await setDirectories(finishing, cursor.at, checkpoint());
      return 'at' in stopped ? { phase: 'directories', at: stopped.at } : { phase: 'status', losses: stopped.losses };
    }
  }
}

/** Type changes are planned also where nothing was deleted: each then fails by name. While a file of the first pass fails they wait for a resume. */
async function behindDeletes({ job, store }: Finishing): Promise<FinishCursor | typeof SECOND_PASS> {
  const isFirstOfTwo = job.typeChanges !== undefined && job.pass !== 2;
  const isDue = isFirstOfTwo && ((await store.counters(job.id)).get('files.failed') ?? 0) === 0;
  return isDue ? SECOND_PASS : { phase: 'directories', at: directoriesStart };
}

/** What another version kept is none: the finish begins anew, which is safe. */
function cursorIn(kept: unknown): FinishCursor | undefined {
  const known = typeof kept === 'object' && kept !== null && 'phase' in kept && phases.includes(kept.phase as string);
  return known ? (kept as FinishCursor) : undefined;
}
