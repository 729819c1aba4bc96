import { forEach } from '../for-each.ts';
import { copiersUntilMs } from './dynamo-batches.ts';
import { batchKey, batchOf, type Item, type JobTable, sortKeys } from './job-table.ts';
import { onceTaken } from './throttling.ts';

/** Owner of every batch of a job that is being closed: nobody. */
const CLOSED = 'closed';
/** All items of a job are in one partition, which takes 1,000 writes a second: some 8 at once. */
const REQUESTS_AT_ONCE = 8;

/** Batches that were taken from their owners. */
export interface Revoked {
  /** The first batch that was not looked at yet. */
  readonly next: number;
  /** Those of them at which a copier may still be at work. */
  readonly atWork: readonly number[];
}

/** Takes the batches of a job from its copiers, and knows which copiers have not ended. */
export class DynamoClosing {
  readonly #table: JobTable;

  constructor(table: JobTable) {
    this.#table = table;
  }

  /** From here on no batch can be claimed. Safe to run again. */
  async begin(id: string): Promise<void> {
    const closing = { expression: 'SET closing = :true', values: { ':true': true } };
    await this.#table.change(id, sortKeys.job, { ...closing, condition: 'attribute_exists(pk)' });
  }

  /** Every copier of the job finds that it owns nothing. Only after `begin`. @param from  the first batch */
  async *revoke(id: string, from: number, signal: AbortSignal): AsyncGenerator<Revoked> {
    for await (const page of this.#table.pagesUnder(id, sortKeys.batches, { from: batchKey(from) })) {
      const owned = page.filter(({ owner }) => owner !== CLOSED);
      await forEach(owned, REQUESTS_AT_ONCE, signal, async ({ sk }, both) => {
        const revoked = {
          expression: 'SET #owner = :closed',
          condition: 'attribute_exists(pk)',
          names: { '#owner': 'owner' },
          values: { ':closed': CLOSED },
        };
        await onceTaken(() => this.#table.change(id, String(sk), revoked), both);
      });
      const last = page.at(-1);
      if (last) yield { next: numberOf(last) + 1, atWork: page.filter(isAtWork).map(numberOf) };
    }
  }

  /** Those of the batches at which a copier may still be at work: it has neither ended nor passed its deadline. */
  async stillAtWork(id: string, batches: readonly number[], signal: AbortSignal): Promise<number[]> {
    const found: number[] = [];
    await forEach(batches, REQUESTS_AT_ONCE, signal, async (batch) => {
      const item = await this.#table.get(id, batchKey(batch));
      if (item && isAtWork(item)) found.push(batch);
    });
    return found;
  }

  /** Whether a copier may be at work at any batch of the job. */
  async hasCopiers(id: string): Promise<boolean> {
    for await (const item of this.#table.under(id, sortKeys.batches)) if (isAtWork(item)) return true;
    return false;
  }

  /** A closed job goes on: its batches can be claimed again. */
  async reopen(id: string): Promise<void> {
    await this.#table.change(id, sortKeys.job, {
      expression: 'REMOVE closing, closeCursor',
      condition: 'attribute_exists(pk)',
    });
  }
}

function isAtWork(item: Item): boolean {
  return copiersUntilMs(item) > Date.now();
}

function numberOf({ sk }: Item): number {
  return batchOf(String(sk));
}
