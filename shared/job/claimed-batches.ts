import type { ClaimedBatch, JobStore } from './job-store.ts';
import { type BatchLine, type ManifestPosition, manifestStart } from './manifest-lines.ts';
import type { ManifestStore } from './manifest.ts';
import { isSplit, splitOf } from './unit.ts';

/** Where a job's batches and what became of them are kept. */
export interface Records {
  readonly store: Pick<JobStore, 'claims'>;
  readonly manifests: Pick<ManifestStore, 'read'>;
}

/** A line of the manifest, and what became of its batch; no claim: nobody took it yet, or nobody asked for it. */
export interface BatchRecord {
  readonly line: BatchLine;
  readonly claim: ClaimedBatch | undefined;
}

/** Whether every unit of the batch has an outcome. */
export function isFinished({ line, claim }: BatchRecord): boolean {
  return claim?.done.size === line.count;
}

/**
 * Whether a copier has something to do with a batch: a file without an outcome, or a chunk whose file still goes in chunks. A file that goes in
 * chunks is the finish's.
 */
export async function hasWork(
  { line, claim }: BatchRecord,
  isGivenUp: (split: number) => Promise<boolean>,
): Promise<boolean> {
  for (const [index, unit] of line.units.entries()) {
    if (claim?.done.has(index)) continue;
    const split = splitOf(unit);
    if (split === undefined || isSplit(unit) === (await isGivenUp(split))) return true;
  }
  return false;
}

/** All batches with their claims. Both streams are in the order of batches and are merged: nothing is held for a batch. */
export async function* batchRecords(
  id: string,
  { store, manifests }: Records,
  from: ManifestPosition = manifestStart,
): AsyncGenerator<BatchRecord> {
  const claims = store.claims(id, from.batch)[Symbol.asyncIterator]();
  try {
    let claim = await claims.next();
    for await (const line of manifests.read(id, from)) {
      while (!claim.done && claim.value.batch < line.batch) claim = await claims.next();
      yield { line, claim: !claim.done && claim.value.batch === line.batch ? claim.value : undefined };
    }
  } finally {
    await claims.return?.();
  }
}

/**
 * The batches up to the last one whose claim is wanted, merged as in `batchRecords`; the claims of the others are left out. Where no claim is
 * wanted the manifest is not read.
 */
export async function* wantedRecords(
  id: string,
  { store, manifests }: Records,
  isWanted: (claim: ClaimedBatch) => boolean,
  from: ManifestPosition,
): AsyncGenerator<BatchRecord> {
  let lines: AsyncIterator<BatchLine> | undefined;
  let line: BatchLine | undefined;
  try {
    for await (const claim of store.claims(id, from.batch)) {
      if (!isWanted(claim)) continue;
      lines ??= manifests.read(id, from)[Symbol.asyncIterator]();
      while (!line || line.batch < claim.batch) {
        const next = await lines.next();
        if (next.done) return;
        line = next.value;
        yield { line, claim: line.batch === claim.batch ? claim : undefined };
      }
    }
  } finally {
    await lines?.return?.();
  }
}
