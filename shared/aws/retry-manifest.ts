import type { Deadline } from '../deadline.ts';
import { batchRecords, hasWork, isFinished } from '../job/claimed-batches.ts';
import type { ManifestPosition } from '../job/manifest-lines.ts';
import type { Job } from '../job/job.ts';
import { Once } from '../once.ts';
import { manifestsOf } from './second-manifest.ts';
import type { Services } from './services.ts';

/** How much of a retry's manifest is written. Plain JSON. */
interface RetryCursor {
  readonly next: ManifestPosition;
  readonly batches: number;
}

/**
 * A manifest of the batches that copiers have something to do with: the same lines, so that every unit keeps its number.
 * @returns undefined when the time was over: what was written is kept
 */
export async function writeRetryManifest(job: Job, { store, manifests }: Services, deadline: Deadline) {
  const { id } = job;
  const name = retryManifestOf(id);
  const resumed = await manifests.resume(name);
  const writer = resumed?.writer ?? (await manifests.create(name));
  const cursor = resumed?.cursor as RetryCursor | undefined;
  const givenUp = new Once<boolean>();
  const isGivenUp = (split: number) => givenUp.of(String(split), () => store.isGivenUp(id, split));
  let batches = cursor?.batches ?? 0;
  let isFirst = true;
  for await (const record of batchRecords(id, { store, manifests: manifestsOf(job, manifests) }, cursor?.next)) {
    const { line } = record;
    if (!isFinished(record)) {
      // It may have stopped while finishing: what is copied or put together now changes directories that were done.
      if (isFirst) await store.keepFinishCursor(id, undefined);
      isFirst = false;
      if (await hasWork(record, isGivenUp)) {
        await writer.append({ batch: line.batch, units: line.units });
        batches += 1;
      }
    }
    if (deadline.isNear()) {
      await writer.suspend({ next: line.next, batches } satisfies RetryCursor);
      return undefined;
    }
  }
  await writer.close();
  return { batches, key: manifests.keyOf(name) };
}

/** Its name among the manifests. */
export function retryManifestOf(id: string): string {
  return `${id}.retry`;
}
