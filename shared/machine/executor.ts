import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { messageOf } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { Log } from '../log.ts';
import { withSmallHeap } from '../memory.ts';
import { assemble } from '../copy/assemble.ts';
import { dropOlderSnapshots } from '../finish/drop-snapshots.ts';
import { finish, forgetLosses } from '../finish/finish.ts';
import { narrowedFinish } from '../finish/narrowed.ts';
import type { Deleting } from '../finish/finishing.ts';
import type { Progress } from '../copy/progress.ts';
import { copierCount } from './copier-count.ts';
import { type CopierMeans, CopierPool, type Work } from './copier-pool.ts';
import { copyBatches } from './copying.ts';
import { countingListed } from './counting-listed.ts';
import { extrasFile } from './extras-file.ts';
import { ListOnDisk } from './list-on-disk.ts';
import { NamesOnDisk } from './name-set.ts';
import { sharesOf, threadsHere } from './shared-transfers.ts';
import type { State } from './state.ts';
import { openTypeChanges, typeChangesOf } from './type-changes.ts';
import { dropOldRecords } from './undo-records.ts';
import { unfinishedBatches, withFirst } from './unfinished-batches.ts';
import type { Batch } from '../job/unit.ts';
import { estimatedOf } from '../job/estimated.ts';
import { endsPlanned, type Job, noLosses, type Transfers } from '../job/job.ts';
import { settledBytes, settledFiles } from '../job/ending.ts';
import { isUnsettled, type UnitOutcome, withPlanned } from '../job/outcome.ts';
import { hasList } from '../job/spec.ts';
import { plan } from '../plan/plan.ts';
import type { Planning } from '../plan/planning.ts';
import { ofBothPasses, secondPassOf } from '../plan/second-pass.ts';
import type { TypeChange } from '../plan/type-change.ts';
import { plannedSnapshot, plannedSource, prepareSnapshot, requireSnapshot } from '../plan/snapshot.ts';

const SEEN_EVERY_MS = 10_000;
/** In place of a batch's number, of a file that planning has settled. */
const IN_NO_BATCH = -1;

export interface Execution {
  readonly state: State;
  readonly source: Storage;
  readonly destination: Storage;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onOutcome: (batch: Batch, outcome: UnitOutcome) => void;
  readonly onDeletion?: Deleting['onDeletion'];
  /** Processes that may copy in place of this one. */
  readonly copiers?: CopierMeans | undefined;
}

/**
 * Runs a job from wherever it stands to its final status: this process plans and finishes, and copies where the job is not worth several
 * processes. Type changes are planned and copied in a second pass, after the first one has made way for them. Ends with everything of it at rest.
 * @throws IncompleteError when files are not accounted for: the job is then to be copied on, not finished
 */
export async function execute(job: Job, execution: Execution): Promise<Job> {
  const { store } = execution.state;
  let current = job;
  const advance = async (changes: Partial<Job>) => {
    current = { ...current, ...changes };
    await store.update(job.id, changes);
  };
  // A record that cannot be written now is told by the next that has to be.
  const seen = setInterval(() => void advance({ seenAtMs: Date.now() }).catch(() => undefined), SEEN_EVERY_MS);
  try {
    const begun = { error: undefined, endedAtMs: undefined, outcome: undefined, seenAtMs: Date.now() } as const;
    await advance({ ...begun, ...noLosses });
    await forgetLosses(job, store);
    for (;;) {
      await runPass();
      if (current.phase === 'planned') return current;
      const ended = await finishJob(current, execution);
      if (ended.phase === 'done') {
        await clearAway(ended, execution);
        return ended;
      }
      current = ended;
    }
  } catch (error) {
    const ending = execution.signal.aborted
      ? ({ outcome: 'Interrupted', error: 'interrupted' } as const)
      : ({ outcome: 'Failed', error: messageOf(error) } as const);
    // The end that was recorded stands, whatever came after it.
    if ((await store.get(job.id))?.outcome === undefined) await advance({ ...ending, endedAtMs: Date.now() });
    throw error;
  } finally {
    clearInterval(seen);
  }

  async function runPass(): Promise<void> {
    const contact = current.phase === 'planning' ? 'known' : 'first';
    const pool = poolFor(job, execution);
    try {
      if (current.phase === 'planning')
        await advance(await withSmallHeap(() => planWhatChanged(current, execution, pool)));
      else await requireSnapshot(current, execution.source, execution.signal);
      if (current.phase === 'copying') await copyJob(current, execution, contact, pool);
    } finally {
      await pool?.close();
    }
  }
}

function poolFor(job: Job, { state, copiers, ...serving }: Execution): CopierPool | undefined {
  if (!copiers || copiers.atMost < 2 || (job.phase === 'planning' && endsPlanned(job))) return undefined;
  return new CopierPool(copiers, state.locks, job, { ...serving, store: state.store });
}

/** Plans the whole source, or what of its snapshot has changed. A second pass is narrow by itself: it looks at what the first one has made way for. */
async function planWhatChanged(job: Job, execution: Execution, pool: CopierPool | undefined): Promise<Partial<Job>> {
  const { source, state, signal } = execution;
  const destination = state.madeDirectories(job.id).noting(execution.destination);
  const noting = { ...execution, destination };
  if (!job.spec.options.snapshot) return planJob(job, noting, pool);
  if (job.pass === 2) {
    await requireSnapshot(job, source, signal);
    return planJob(job, { ...noting, source: plannedSource(job, source) }, pool);
  }
  using list = new ListOnDisk();
  const prepared = await prepareSnapshot({ job, source, destination, store: state.store, list, signal }, true);
  const { job: now, narrowed = { source, destination } } = prepared;
  const ends = { ...narrowed, source: plannedSource(now, narrowed.source) };
  const changes = await planJob(now, { ...execution, ...ends }, pool);
  return { ...changes, roots: now.roots, ...(await plannedSnapshot(now, destination, signal)) };
}

async function planJob(
  job: Job,
  { state, source, destination, signal, progress, onOutcome }: Execution,
  pool: CopierPool | undefined,
): Promise<Partial<Job>> {
  const from = job.pass === 2 ? secondPassOf(job) : undefined;
  const manifest = await (from ? state.manifests.extend(job.id, from.packer.next) : state.manifests.create(job.id));
  progress.planning = true;
  try {
    const { roots, spec } = job;
    const { options } = spec;
    const mostCopiers = pool?.mostFor(threadsHere(job, source, destination).first) ?? 1;
    let [plannedFiles, plannedBytes] = [0, 0];
    const emit = async (batch: Batch) => {
      const files = batch.units.filter((unit) => unit.kind === 'file');
      progress.expectedFiles += files.length;
      plannedFiles += files.length;
      plannedBytes += files.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
      const copiers = Math.min(batch.batch + 1, mostCopiers, copierCount(plannedFiles, plannedBytes));
      if (copiers > 1) pool?.start(copiers);
      await manifest.append(batch);
    };
    const onSettled: Planning['onSettled'] = (unit, outcome) => {
      progress.expectedFiles += 1;
      progress.settle(outcome);
      onOutcome({ batch: IN_NO_BATCH, units: [unit] }, outcome);
    };
    using names = new NamesOnDisk();
    const sharing = { copiers: mostCopiers, heldBytes: 0 };
    const ends = { source: countingListed(source, progress), destination, roots };
    const planning = { ...ends, options, signal, emit, sharing, names, makeDirectories: true, onSettled };
    if (from) {
      using list = openTypeChanges(job, state.lists);
      const expected = await plan({ ...planning, list, from });
      await manifest.close();
      return { phase: 'copying', ...ofBothPasses(job, expected) };
    }
    using list = hasList(options) ? state.lists.open(job.id) : undefined;
    using changes = options.delete ? await state.lists.begin(typeChangesOf(job.id)) : undefined;
    const leave = (into: ListOnDisk) => (change: TypeChange) => {
      into.add({ path: change.path, isListed: true });
      return 'later' as const;
    };
    const expected = await plan({ ...planning, list, onTypeChange: changes && leave(changes) });
    await manifest.close();
    const { files, bytes, batches, split, notSplit, planned } = expected;
    const typeChanges = changes && changes.length > 0 ? { names: changes.length, batches } : undefined;
    const told = { expectedFiles: files, expectedBytes: bytes, split, notSplit, planned, typeChanges };
    if (endsPlanned(job)) {
      const { first: transfers } = threadsHere(job, source, destination);
      const { seconds } = estimatedOf({ files, bytes, batches, planned }, { copiers: 1, transfers });
      return { phase: 'planned', ...told, plannedAtMs: Date.now(), estimated: { seconds } };
    }
    return { phase: 'copying', ...told };
  } catch (error) {
    await manifest.discard();
    throw error;
  } finally {
    progress.planning = false;
  }
}

async function copyJob(
  job: Job,
  execution: Execution,
  contact: Work['contact'],
  pool: CopierPool | undefined,
): Promise<void> {
  const { state, source, destination, progress, signal } = execution;
  const counters = withPlanned(await state.store.counters(job.id), job);
  progress.expectedFiles = job.expectedFiles;
  progress.expectedBytes = job.expectedBytes;
  const count = (name: string) => counters.get(name) ?? 0;
  progress.failed = count('files.failed');
  progress.complete = settledFiles(counters) - progress.failed;
  progress.bytes = settledBytes(counters);
  const threads = threadsHere(job, source, destination);
  // Another process may change it: hdfs-fanout set.
  const threadsNow = async () => threadsHere((await state.store.get(job.id)) ?? job, source, destination);
  const batches = unfinishedBatches(job.id, state);
  try {
    const { pending, expectedBytes, bytes } = progress;
    const copiers = pool ? Math.min(pool.mostFor(threads.first), copierCount(pending, expectedBytes - bytes)) : 1;
    const { first, all } = await withFirst(batches, copiers);
    const onEnd = (transfers: Transfers | undefined) => state.store.update(job.id, { transfers });
    const copyHere: Work['copyHere'] = (given, onCopied) => {
      const owner = newOwner();
      return copyBatches(given, { ...execution, job, store: state.store, owner, threads, threadsNow, onEnd }, onCopied);
    };
    if (pool && first.length > 1) {
      const shares = sharesOf(threads, first.length);
      await pool.copy(job, { batches: all, shares, contact, copyHere, onEnd }, signal);
    } else
      await copyHere(
        () => all,
        () => undefined,
      );
  } finally {
    await batches.return(undefined);
  }
}

async function finishJob(job: Job, execution: Execution): Promise<Job> {
  const { state, source, destination, progress, log, signal, onOutcome, onDeletion = () => undefined } = execution;
  const { store, manifests, lists } = state;
  const owner = newOwner();
  const transfer = pLimit(threadsHere(job, source, destination).first);
  const context = { job, source, destination, store, owner, progress, log, transfer };
  using list = hasList(job.spec.options) ? lists.open(job.id) : undefined;
  using typeChanges = openTypeChanges(job, lists);
  using changed = new ListOnDisk();
  const narrowed = await narrowedFinish({ job, source, destination, list: changed, typeChanges, log, signal });
  const ended = await finish({
    ...{ job, source, destination, store, manifests, deaths: undefined, list, narrowed },
    owner,
    assemble: (batch, index, unit, claim, held, both) =>
      assemble({ ...context, held, signal: both }, batch, index, unit, claim),
    onOutcome: (batch, outcome) => {
      // The bytes of its chunks are counted already, where it was not put together.
      if (isUnsettled(outcome)) progress.count(outcome);
      else progress.settle(outcome);
      onOutcome(batch, outcome);
    },
    deleting: { lists: manifests, typeChanges, track: () => extrasFile(job.spec.options.trackMissing), onDeletion },
    log,
    signal,
    isOver: () => false,
  });
  if (!ended) throw new Error('finishing stopped although nothing told it to');
  return ended;
}

/** Removes what a job that was successful leaves, which has nothing to resume or to sweep, but for what an undo needs: the job has ended, and what cannot be removed is a warning. */
async function clearAway(job: Job, { state, source, log, signal }: Execution): Promise<void> {
  if (job.outcome !== 'Successful') return;
  const { store, lists } = state;
  try {
    await lists.remove(job.id);
    await lists.remove(typeChangesOf(job.id));
    await dropOldRecords(job, state, Date.now());
    await dropOlderSnapshots({ job, source, log, signal }, store);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'something of the job that has ended is still there');
  }
}

/** Of this process and this piece of work alone. */
function newOwner(): string {
  return `${hostname()}:${process.pid}:${randomUUID()}`;
}
