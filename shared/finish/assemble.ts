import type { Checkpoint } from '../checkpoint.ts';
import { HeldBatches } from '../job/held-batches.ts';
import { timed } from '../job/file-line.ts';
import { forEach } from '../for-each.ts';
import { requireFewFailures } from '../job/failures.ts';
import { batchRecords } from '../job/claimed-batches.ts';
import type { BatchLine, ManifestPosition } from '../job/manifest-lines.ts';
import { liveRoots } from '../job/root.ts';
import { isSplit, sourcePathOf } from '../job/unit.ts';
import type { Finishing } from './finishing.ts';

/** Batches whose files are put together at once. */
const AT_ONCE = 8;

/**
 * Puts the files together that chunks have copied, and records how each ended. Safe to run again: what is recorded is not looked at.
 * @returns where it stopped before the end
 */
export async function assembleFiles(
  finishing: Finishing,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition>,
): Promise<ManifestPosition | undefined> {
  const { job, owner, deaths, signal, isOver } = finishing;
  if (Object.keys(job.split ?? {}).length === 0) return undefined;
  const held = new HeldBatches(async (batch) => deaths?.release(job.id, batch, owner));
  const stopped = await forEach(
    splitBatches(finishing, from, checkpoint),
    AT_ONCE,
    signal,
    (line, both) => assembleBatch({ ...finishing, signal: both }, line, held),
    isOver,
  );
  return stopped?.next.position;
}

/** The batches with a split file that has no outcome. */
async function* splitBatches(
  finishing: Finishing,
  from: ManifestPosition,
  checkpoint: Checkpoint<ManifestPosition>,
): AsyncGenerator<BatchLine> {
  let isFirst = true;
  for await (const { line, claim } of batchRecords(finishing.job.id, finishing, from)) {
    const isLeft = line.hasSplitFiles && line.units.some((unit, index) => isSplit(unit) && !claim?.done.has(index));
    if (isLeft) yield line;
    isFirst &&= !isLeft;
    // What comes behind a batch that is being worked on is found again.
    if (isFirst && checkpoint.isDue) await checkpoint.keep(line.next);
  }
}

async function assembleBatch(finishing: Finishing, line: BatchLine, held: HeldBatches): Promise<void> {
  const { job, store, owner, assemble, onOutcome, signal } = finishing;
  const claim = () => store.claim(job.id, line.batch, owner);
  await held.claimed(line.batch, claim, async (claimed) => {
    for (const [index, unit] of line.units.entries()) {
      if (!isSplit(unit) || claimed.done.has(index)) continue;
      const beganAtMs = Date.now();
      const assembled = await assemble(line.batch, index, unit, claimed, held, signal);
      const outcome = timed(assembled, sourcePathOf(liveRoots(job.roots), unit), beganAtMs);
      await store.record(job.id, line.batch, owner, [outcome]);
      onOutcome(line, outcome);
      if (outcome.outcome !== 'failed') continue;
      requireFewFailures((await store.counters(job.id)).get('files.failed') ?? 0, job);
    }
  });
}
