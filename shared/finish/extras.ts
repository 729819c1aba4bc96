import { FanoutError } from '../errors.ts';
import { deletesOf, type DeleteUnit, FIRST_DELETE_BATCH } from '../job/deletion.ts';
import { requireSettled } from '../job/ending.ts';
import { batchRecords, isFinished } from '../job/claimed-batches.ts';
import { type Found, keptNote } from '../job/job.ts';
import type { JobStore } from '../job/job-store.ts';
import type { ManifestStore } from '../job/manifest.ts';
import { manifestStart } from '../job/manifest-lines.ts';
import type { JobOptions } from '../job/spec.ts';
import { livePath, type Root } from '../job/root.ts';
import { type ExtrasCursor, type ExtrasSearch, findExtras } from '../plan/extras.ts';
import { listedAt } from '../plan/path-list.ts';
import { selection } from '../plan/selection.ts';
import { join } from '../storage/path.ts';
import { requireFewDeletes } from './delete-brake.ts';
import { keeping, MOST_VANISHED, vanishedDirectories } from './vanished-directories.ts';
import type { Deleting, DeleteLists, ExtrasFile, Finishing } from './finishing.ts';

/** Deletions of a batch: so many may have been done without a record when a process is killed. */
const UNITS = 100;

/** Whether a job has anything to do with what only the destination has. */
export function seeksExtras(options: Pick<JobOptions, 'delete' | 'trackMissing'>): boolean {
  return options.delete || options.trackMissing !== '';
}

/** Raised with every change of what the cursor is made of. */
const VERSION = 3;

/** Where the listing of deletions goes on. Plain JSON. */
interface ListCursor {
  readonly version: typeof VERSION;
  readonly search: ExtrasCursor;
  /** Of a batch that is not full yet. */
  readonly units: readonly DeleteUnit[];
  /** The number of that batch. */
  readonly batch: number;
  readonly lost: number;
}

/**
 * Lists what the destination has and the source has not: to be deleted, or for a person. The list of what is to be deleted is made once, after
 * every file was copied, and is kept where it is within the job's limit.
 *
 * @throws RefusedError when more would be deleted than the job may, also of a list that was made before; the next finish then looks again
 */
export async function listExtras(finishing: Finishing): Promise<'nothing to delete' | 'listed' | 'stopped'> {
  const { job, store, deleting } = finishing;
  const { trackMissing } = job.spec.options;
  if (!deleting) throw new Error('a job is finished that deletes, and nothing is there to delete with');
  if (trackMissing !== '') {
    await track(finishing, await deleting.track());
    return 'nothing to delete';
  }
  const counters = await store.counters(job.id);
  requireSettled(job, counters);
  const failed = counters.get('files.failed') ?? 0;
  if (failed > 0) {
    await tellWaiting(finishing, deleting, failed);
    return 'nothing to delete';
  }
  if (job.deletes) {
    // The limit may be a lower one by now.
    if ('directories' in job.deletes) requireFewDeletes(job.spec.options, job.deletes, 'begun');
    return 'listed';
  }
  const vanished = await vanishedDirectories(job, store, counters);
  if (!vanished) {
    const reason = `more than ${MOST_VANISHED} directories vanished while they were walked`;
    await store.update(job.id, { notDeleted: reason });
    return 'nothing to delete';
  }
  const listed = await list(finishing, deleting.lists, vanished);
  if (!listed) return 'stopped';
  await store.update(job.id, { deletes: listed.found, notDeleted: toldOf(listed.lost, vanished.length) });
  return 'listed';
}

/** Says that deletions wait for files that failed. A list that was made is kept for a finish without failed files, with what is said of it. */
async function tellWaiting({ job, store, log }: Finishing, { lists, typeChanges }: Deleting, failed: number) {
  const isFirst = job.pass !== 2;
  // The second pass begins behind all deletions, or was told before why there are none.
  const waits = isFirst || (job.deletes ? await areLeft(job.id, store, lists) : job.notDeleted === undefined);
  if (!waits) return;
  const changes = isFirst && job.typeChanges ? `, and ${job.typeChanges.names} type changes wait for that` : '';
  const deletes = job.deletes && { ...job.deletes, leftOut: keptNote(job) ?? '' };
  await store.update(job.id, { notDeleted: `${failed} files failed${changes}`, ...(deletes ? { deletes } : {}) });
  for (const path of isFirst && typeChanges ? listedAt(typeChanges, '', false) : [])
    log.error({ path }, 'not copied: something of another kind stands at the destination, and nothing is deleted');
}

/** Whether deletions of a list have no outcome: a resume has taken back those that failed. */
async function areLeft(
  id: string,
  store: Pick<JobStore, 'claims'>,
  lists: Pick<DeleteLists, 'read'>,
): Promise<boolean> {
  const manifests: Pick<ManifestStore, 'read'> = { read: (_, from) => lists.read(deletesOf(id), from) };
  const start = { ...manifestStart, batch: FIRST_DELETE_BATCH };
  for await (const record of batchRecords(id, { store, manifests }, start)) if (!isFinished(record)) return true;
  return false;
}

/** @returns undefined when the time was over: what was listed is kept */
async function list(
  finishing: Finishing,
  lists: DeleteLists,
  vanished: readonly string[],
): Promise<{ readonly found: Found; readonly lost: number } | undefined> {
  const { job, isOver } = finishing;
  const name = deletesOf(job.id);
  const resumed = await lists.resume?.(name);
  const cursor = cursorIn(resumed?.cursor);
  const writer = resumed && cursor ? resumed.writer : await lists.create(name);
  try {
    let units: DeleteUnit[] = [...(cursor?.units ?? [])];
    let batch = cursor?.batch ?? FIRST_DELETE_BATCH;
    let lost = cursor?.lost ?? 0;
    const write = async () => {
      await writer.append({ batch: batch++, units });
      units = [];
    };
    const emit = async (unit: DeleteUnit) => {
      units.push(unit);
      if (units.length === UNITS) await write();
    };
    const maySuspend = writer.suspend !== undefined;
    const found = await search(
      finishing,
      { whole: !job.spec.options.skipTrash, vanished, emit, onLost: () => (lost += 1) },
      {
        isOver: maySuspend ? isOver : () => false,
        from: cursor?.search,
      },
    );
    if ('cursor' in found) {
      await writer.suspend?.({ version: VERSION, search: found.cursor, units, batch, lost } satisfies ListCursor);
      return undefined;
    }
    const all = await withAll(finishing, found);
    requireFewDeletes(job.spec.options, all);
    if (units.length > 0) await write();
    await writer.close();
    return { found: all, lost };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** What was found, held against all that both trees have where the search saw only a part of them. */
async function withAll(finishing: Finishing, found: Found): Promise<Found> {
  const { job, source, destination, narrowed, log, signal } = finishing;
  const [root] = job.roots;
  if (!narrowed || !root || found.files + found.directories === 0) return found;
  try {
    const [here, there] = [
      await source.countEntries?.(root.source, signal),
      await destination.countEntries?.(root.destination, signal),
    ];
    if (here && there) {
      const { files, directories } = here;
      return { ...found, destinationFiles: there.files, sourceEntries: files + directories, sourceFiles: files };
    }
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    log.warn({ error: error.message }, 'files cannot be counted: the limit of deletions is that of what was looked at');
  }
  let sourceEntries = found.sourceEntries;
  for await (const page of source.list(root.source, signal)) {
    sourceEntries = Math.max(sourceEntries, page.length);
    if (page.length > 0) break;
  }
  return { ...found, sourceEntries };
}

/** What another version kept is none: the list begins anew. */
function cursorIn(kept: unknown): ListCursor | undefined {
  const isKnown = typeof kept === 'object' && kept !== null && 'version' in kept && kept.version === VERSION;
  return isKnown ? (kept as ListCursor) : undefined;
}

async function track(finishing: Finishing, file: ExtrasFile): Promise<void> {
  const { job, store } = finishing;
  const [root] = job.roots;
  let lost = 0;
  try {
    const emit = (unit: DeleteUnit) => file.add(unit, deletedPath(root, unit));
    await search(finishing, { whole: false, vanished: [], emit, onLost: () => (lost += 1) });
    await file.close();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await store.update(job.id, { notDeleted: toldOf(lost) });
}

function toldOf(lost: number, vanished = 0): string | undefined {
  const told = [
    lost > 0 ? `${lost} directories could not be listed, and keep what is in them` : '',
    vanished > 0 ? `${vanished} directories vanished while they were walked, and stay for this time` : '',
  ];
  return told.filter((text) => text !== '').join('; ') || undefined;
}

/** What could not be listed is told, and nothing of it is an extra. */
async function search(
  { job, source, destination, narrowed = { source, destination }, signal, log, deleting }: Finishing,
  {
    onLost,
    vanished,
    ...how
  }: Pick<ExtrasSearch, 'whole' | 'emit'> & { readonly vanished: readonly string[]; readonly onLost: () => void },
  { isOver, from }: { readonly isOver?: () => boolean; readonly from?: ExtrasCursor | undefined } = {},
): Promise<Found | { readonly cursor: ExtrasCursor }> {
  return findExtras(
    {
      ...narrowed,
      roots: job.roots,
      ...how,
      selection: keeping(vanished, selection(job.spec.options, livePath(job.roots[0] ?? { source: '/' }))),
      // What vanished keeps its namesake by being hidden: in such a run all that is hidden stays.
      excluded: job.spec.options.deleteExcluded && vanished.length === 0,
      isReplaced: (path) => deleting?.typeChanges?.find(path)?.isListed === true,
      signal,
      onLost: (path, { message: error }) => {
        onLost();
        log.warn({ path, error }, 'a directory could not be listed: nothing in it is deleted');
      },
      ...(isOver ? { isOver } : {}),
    },
    from,
  );
}

/** Where what is to be deleted lies. */
function deletedPath(root: Root | undefined, { path }: DeleteUnit): string {
  if (!root) throw new Error('the list of deletions names a root that the job has not');
  return join(root.destination, path);
}
