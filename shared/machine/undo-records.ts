import { deletesOf } from '../job/deletion.ts';
import type { Job } from '../job/job.ts';
import { isHeld } from './destination-lock.ts';
import type { State } from './state.ts';

/** For how long a job that kept no backups can be undone, ms: what it deleted is seldom longer in the trash. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** Forgets what a job did: it can be neither resumed nor undone. */
export async function forgetRecords(id: string, { store, manifests, madeDirectories }: State): Promise<void> {
  await manifests.remove(id);
  await manifests.remove(deletesOf(id));
  await madeDirectories(id).remove();
  store.forgetMadeFiles(id);
}

/**
 * Forgets what jobs did that were successful and kept no backups, once a later job into the same destination was successful, or a week has
 * passed. What jobs with backups did is kept until they are cleaned: their backups are there as long.
 */
export async function dropOldRecords(latest: Job, state: State, nowMs: number): Promise<void> {
  for (const id of state.manifests.names()) {
    const job = id === latest.id ? undefined : await state.store.get(id);
    if (job?.outcome !== 'Successful' || job.spec.options.backupDir !== '' || isHeld(state.locks, id)) continue;
    const isOld = nowMs - (job.endedAtMs ?? 0) > KEPT_MS;
    const isFollowed = job.spec.destination === latest.spec.destination && job.startedAtMs < latest.startedAtMs;
    if (isOld || isFollowed) await forgetRecords(id, state);
  }
}
