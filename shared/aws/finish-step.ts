import pLimit from 'p-limit';
import { type Deadline, DeadlineReached } from '../deadline.ts';
import { JobClosedError, messageOf, SupersededError } from '../errors.ts';
import { assemble } from '../copy/assemble.ts';
import { Progress } from '../copy/progress.ts';
import { dropOlderSnapshots } from '../finish/drop-snapshots.ts';
import { finish } from '../finish/finish.ts';
import type { Deleting, Finishing } from '../finish/finishing.ts';
import { narrowedFinish } from '../finish/narrowed.ts';
import { deletesOf } from '../job/deletion.ts';
import type { Job } from '../job/job.ts';
import { changesNothing, hasList } from '../job/spec.ts';
import { threadsOf } from '../job/threads.ts';
import { ListOnDisk } from '../machine/list-on-disk.ts';
import { endJob } from './end-job.ts';
import { endpointsOfJob } from './endpoints.ts';
import type { FinalStatus } from './final-status.ts';
import { manifestsOf } from './second-manifest.ts';
import { openTypeChanges } from './open-type-changes.ts';
import { secondPass, treesDiffer } from '../names.ts';
import type { Services } from './services.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';
import { finishVerification } from './verify-finish.ts';

/** Chunks that are copied again at once where neither the job nor a cluster sets a number. */
const TRANSFERS = 10;
/** Of an execution that began before its state machine knew of second passes: it fails with this. */
const FOR_EARLIER_STATES = 'type changes wait: retry the job';

export interface FinishAnswer extends Partial<FinalStatus> {
  /** False: call again. */
  readonly done: boolean;
  /** `SecondPass`: none yet, the job is to be planned and copied once more. `TreesDiffer`: of a verification, or it could not tell of everything. */
  readonly outcome?: Job['outcome'] | typeof secondPass | typeof treesDiffer;
}

/**
 * Ends a job whose batches were all handed out. Safe to run again, and goes on where it stopped.
 * @throws IncompleteError when files are not accounted for: the job is then closed, and a retry copies on
 */
export async function finishStep(
  id: string,
  services: Services,
  owner: string,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<FinishAnswer> {
  const { store, manifests, lists, log } = services;
  const job = await store.get(id);
  if (!job) throw new Error(`no job ${id}`);
  await using endpoints = await endpointsOfJob(services, id, job.spec);
  const { source, destination } = endpoints;
  if (changesNothing(job.spec)) return await finishLooking(job, endpoints, services, owner, deadline, signal);
  const isOver = () => deadline.isNear();
  const { options } = job.spec;
  // Only for the attributes of directories.
  const isListed = options.preserve && hasList(options) && job.phase !== 'done';
  using list = isListed ? await lists.open(id, job.roots[0]?.source ?? '/') : undefined;
  using typeChanges = job.phase === 'done' ? undefined : await openTypeChanges(job, services);
  using changed = new ListOnDisk();
  const isDone = job.phase === 'done';
  const looked = { job, source, destination, list: changed, typeChanges, log, signal };
  const narrowed = isDone ? undefined : await narrowedFinish(looked);
  // A file that is read again once it was put together goes on in the next invocation, and so do deletions.
  const late = new AbortController();
  const disarm = deadline.arm(late);
  const transfer = pLimit(threadsOf(job, source, destination, TRANSFERS).first);
  const context = { job, source, destination, store, owner, progress: new Progress(), log, transfer };
  const lines = services.lines.writer(id, `finish.${owner}`, log);
  const onDeletion: Deleting['onDeletion'] = (_unit, _path, outcome) => lines.add(outcome);
  const finishing: Finishing = {
    ...{ job, source, destination, store, deaths: store, owner, list, narrowed, log, signal, isOver },
    manifests: manifestsOf(job, manifests),
    assemble: (batch, index, unit, claim, held, both) =>
      assemble({ ...context, held, signal: AbortSignal.any([both, late.signal]) }, batch, index, unit, claim),
    onOutcome: (_, outcome) => lines.add(outcome),
    deleting: {
      ...{ lists: manifests, typeChanges, onDeletion, late: late.signal },
      track: () => Promise.reject(new Error('no list here')),
    },
  };
  try {
    const ended = job.phase === 'done' ? job : await finish(finishing);
    if (!ended) return { done: false };
    if (ended.phase === 'planning') return { done: true, outcome: secondPass, cause: FOR_EARLIER_STATES };
    // Nothing is left to retry.
    if (ended.outcome === 'Successful') {
      try {
        if (options.delete) await manifests.remove(deletesOf(id));
        if (hasList(options)) await lists.remove(id);
        await dropOlderSnapshots({ job: ended, source, log, signal }, store);
      } catch (error) {
        // The job has ended: nothing of this changes how.
        log.warn({ error: messageOf(error) }, 'something of the job that has ended is still there');
      }
    }
    return { done: true, outcome: ended.outcome, ...(await endJob(ended, destination, services, signal)) };
  } catch (error) {
    if (error instanceof DeadlineReached || (await isOthers(error, id, services))) return { done: false };
    throw error;
  } finally {
    disarm();
    await lines.flush();
  }
}

/** Another finish, which was given up for dead, is still at work, and will find that it owns nothing any more; or it has ended the job. */
async function isOthers(error: unknown, id: string, { store }: Pick<Services, 'store'>): Promise<boolean> {
  if (error instanceof SupersededError) return true;
  return error instanceof JobClosedError && (await store.get(id))?.phase === 'done';
}

/** Ends a job that changes nothing: of a dry run everything is told by its plan. */
async function finishLooking(
  job: Job,
  endpoints: Endpoints,
  services: Services,
  owner: string,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<FinishAnswer> {
  let ended: Job | undefined = job;
  try {
    if (job.phase !== 'done') ended = await endOf(job, endpoints, services, owner, deadline);
  } catch (error) {
    if (!(await isOthers(error, job.id, services))) throw error;
    ended = undefined;
  }
  if (!ended) return { done: false };
  const outcome = job.spec.verify && ended.outcome !== 'Successful' ? treesDiffer : ended.outcome;
  return { done: true, outcome, ...(await endJob(ended, endpoints.destination, services, signal)) };
}

async function endOf(
  job: Job,
  endpoints: Endpoints,
  services: Services,
  owner: string,
  deadline: Deadline,
): Promise<Job | undefined> {
  if (job.spec.verify) return finishVerification(job, endpoints, services, owner, deadline);
  const [error] = job.notes ?? [];
  const ending = { phase: 'done', outcome: 'Successful', endedAtMs: Date.now(), error } as const;
  await services.store.update(job.id, { phase: 'finishing' });
  await services.store.endFinish(job.id, ending);
  return { ...job, ...ending };
}
