import type { Claim } from './job-store.ts';

/**
 * Batches that a finish is at work on, in one owner's name: as the batch of a file that it puts together, and as those of chunks that it copies again.
 * A batch is released when nothing of the finish is at work on it any more.
 */
export class HeldBatches {
  readonly #count = new Map<number, number>();
  readonly #release: (batch: number) => Promise<void>;

  constructor(release: (batch: number) => Promise<void>) {
    this.#release = release;
  }

  /** Works on a batch under a claim. @throws as both */
  async claimed<T>(batch: number, claim: () => Promise<Claim>, work: (claim: Claim) => Promise<T>): Promise<T> {
    // Before it is claimed: who ends meanwhile would release it.
    this.#add(batch, 1);
    let isClaimed = false;
    try {
      const claimed = await claim();
      isClaimed = true;
      return await work(claimed);
    } finally {
      if (this.#add(batch, -1) === 0 && isClaimed) await this.#release(batch);
    }
  }

  #add(batch: number, change: 1 | -1): number {
    const count = (this.#count.get(batch) ?? 0) + change;
    if (count === 0) this.#count.delete(batch);
    else this.#count.set(batch, count);
    return count;
  }
}
