import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { JobClosedError, SupersededError } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { Bitmap } from '../job/bitmap.ts';
import { type ChunkRecord, type Claim, type ClaimedBatch, isClean } from '../job/job-store.ts';
import { countersOf, type Failure, isOfChunk, isUnsettled, type Recorded, type Unsettled } from '../job/outcome.ts';
import { tableKeys } from '../names.ts';
import {
  batchKey,
  batchOf,
  type Change,
  chunkKey,
  countersKey,
  failureKey,
  type Item,
  type JobTable,
  partitionOf,
  sortKeys,
  type Writes,
} from './job-table.ts';
import { onceTaken } from './throttling.ts';

/** A transaction holds 100 items (DynamoDB quota); batch record and counters are two of them. */
export const FAILURES_AT_ONCE = 90;
/** A transaction holds 4 MB, and a chunk's record the digests of its blocks. */
const BYTES_AT_ONCE = 2_000_000;
/** Failures that are held while they are taken back. */
const FAILURES_HELD = 1000;
export const TRANSACTIONS_AT_ONCE = 8;
const ACTIVE = 'active ';

/** A batch as it is kept; beside it `active <owner>`: until when at most a copier that has not ended may be at work. */
interface BatchItem {
  readonly sk: string;
  readonly owner: string;
  readonly claim: number;
  readonly attempts: number;
  readonly swept: number;
  readonly done: Uint8Array;
  /** Undefined in items of an earlier version. */
  readonly clean?: Uint8Array;
  /** Raised by every write that changes `done`. */
  readonly sequence: number;
}

/** A unit that failed, vanished or changed, as it is kept. */
export interface FailureItem {
  readonly sk: string;
  readonly batch: number;
  readonly outcome: Unsettled;
}

/**
 * Batches in DynamoDB: who has them, and what became of their units. What makes counts exact: recording is ONE transaction of
 *
 *     batch record   if owner = me and sequence = what I read   set done, sequence + 1
 *     counters       add the difference
 *     failures       put
 *
 * A loser fails the first condition. The same outcomes delivered again find their units done already and add nothing. When an
 * answer is lost the SDK sends the transaction again under the same token, which DynamoDB applies once; and a later try of
 * ours reads the raised sequence and the units done.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
export class DynamoBatches {
  protected readonly table: JobTable;
  readonly #copierUntilMs: number;

  /** @param copierUntilMs  until when a copier that claims through this store may be at work, ms since the epoch */
  constructor(table: JobTable, copierUntilMs: number) {
    this.table = table;
    this.#copierUntilMs = copierUntilMs;
  }

  /**
   * Writes the claim before it reads whether the job is closing, and `beginClosing` the other way round: whichever comes first, one
   * of the two sees the other.
   * @throws JobClosedError when the job is being closed or has ended
   */
  async claim(id: string, batch: number, owner: string): Promise<Claim> {
    const attributes = await this.table.change(id, batchKey(batch), {
      expression:
        'SET #owner = :owner, claim = if_not_exists(claim, :zero) + :one, attempts = if_not_exists(attempts, :zero), ' +
        'swept = if_not_exists(swept, :zero), done = if_not_exists(done, :none), ' +
        '#sequence = if_not_exists(#sequence, :zero), #active = :until, #expires = :expires',
      names: {
        '#owner': 'owner',
        '#sequence': 'sequence',
        '#active': activeName(owner),
        '#expires': tableKeys.expires,
      },
      values: {
        ':owner': owner,
        ':zero': 0,
        ':one': 1,
        ':none': new Uint8Array([0]),
        ':until': this.#copierUntilMs,
        ':expires': this.table.expires(),
      },
    });
    const job = await this.table.get(id, sortKeys.job);
    if (!job || 'closing' in job) {
      await this.release(id, batch, owner);
      throw new JobClosedError(id);
    }
    const { claim, attempts, swept, done } = attributes as unknown as BatchItem;
    return { claim, attempts, swept, done: new Bitmap(done) };
  }

  /** After a copier's last request: nobody needs to wait for it any more. It need not be the owner. */
  async release(id: string, batch: number, owner: string): Promise<void> {
    await this.table.change(id, batchKey(batch), {
      expression: 'REMOVE #active',
      condition: 'attribute_exists(pk)',
      names: { '#active': activeName(owner) },
    });
  }

  async requireOwner(id: string, batch: number, owner: string): Promise<void> {
    await this.#owned(id, batch, owner);
  }

  async noteAttempt(id: string, batch: number, owner: string, attempt: number): Promise<void> {
    await this.#raise(id, batch, owner, 'attempts', attempt);
  }

  async noteSwept(id: string, batch: number, owner: string, claim: number): Promise<void> {
    await this.#raise(id, batch, owner, 'swept', claim);
  }

  async record(id: string, batch: number, owner: string, outcomes: readonly Recorded[]): Promise<void> {
    if (outcomes.length === 0) return this.requireOwner(id, batch, owner);
    for (let at = 0; at < outcomes.length;) {
      const end = endOfWrite(outcomes, at);
      await this.#recordOnce(id, batch, owner, outcomes.slice(at, end));
      at = end;
    }
  }

  /** Adds to counters of a job, beside what outcomes add. A lost answer may have it counted twice. @param shard  spreads such writes */
  async count(id: string, shard: number, sums: ReadonlyMap<string, number>): Promise<void> {
    if (sums.size > 0) await this.table.change(id, countersKey(shard), this.#adding(sums));
  }

  async reopenFailed(id: string, which: (failure: Failure) => boolean = () => true): Promise<void> {
    let held: FailureItem[] = [];
    const reopen = async () => {
      const byBatch = Map.groupBy(held, ({ batch }) => batch);
      held = [];
      const never = new AbortController().signal;
      await forEach(byBatch, TRANSACTIONS_AT_ONCE, never, async ([batch, failures], both) => {
        for (let at = 0; at < failures.length; at += FAILURES_AT_ONCE) {
          const some = failures.slice(at, at + FAILURES_AT_ONCE).map(({ sk, outcome }) => ({
            sk,
            unit: outcome.unit,
            counted: countersOf(outcome),
          }));
          await onceTaken(() => this.reopen(id, batch, some), both);
        }
      });
    };
    for await (const item of this.table.under(id, sortKeys.failures)) {
      const failure = item as unknown as FailureItem;
      if (which(failure.outcome.failure)) held.push(failure);
      if (held.length === FAILURES_HELD) await reopen();
    }
    await reopen();
  }

  async *claims(id: string, from = 0): AsyncIterable<ClaimedBatch> {
    for await (const item of this.table.under(id, sortKeys.batches, { from: batchKey(from) })) {
      const { sk, claim, attempts, swept, done, clean } = item as unknown as BatchItem;
      yield { batch: batchOf(sk), claim, attempts, swept, done: new Bitmap(done), clean: new Bitmap(clean) };
    }
  }

  async #recordOnce(id: string, batch: number, owner: string, outcomes: readonly Recorded[]): Promise<void> {
    for (;;) {
      const item = await this.#owned(id, batch, owner);
      const done = new Bitmap(item.done);
      const clean = new Bitmap(item.clean);
      const sums = new Map<string, number>();
      const records: Writes = [];
      for (const outcome of outcomes) {
        if (done.has(outcome.unit)) continue;
        for (const [name, value] of countersOf(outcome)) sums.set(name, (sums.get(name) ?? 0) + value);
        if (isOfChunk(outcome)) records.push(this.table.put(chunkItem(id, { ...outcome, batch })));
        if (isOfChunk(outcome) && outcome.outcome === 'failed') continue;
        done.add(outcome.unit);
        if (isClean(item.claim, outcome)) clean.add(outcome.unit);
        else clean.delete(outcome.unit);
        if (isUnsettled(outcome)) {
          records.push(this.table.put({ pk: partitionOf(id), sk: failureKey(batch, outcome.unit), batch, outcome }));
        }
      }
      if (sums.size === 0 && records.length === 0) return;
      const recorded = this.table.update(id, batchKey(batch), {
        expression: 'SET done = :done, clean = :clean, #sequence = :next',
        condition: '#owner = :owner AND #sequence = :read',
        names: { '#sequence': 'sequence', '#owner': 'owner' },
        values: {
          ':done': done.bytes,
          ':clean': clean.bytes,
          ':read': item.sequence,
          ':next': item.sequence + 1,
          ':owner': owner,
        },
      });
      try {
        const counted = sums.size === 0 ? [] : [this.#add(id, batch, sums)];
        await this.table.transact([recorded, ...counted, ...records]);
        return;
      } catch (error) {
        // Another write came between reading and writing: look again. An owner who lost finds out there.
        if (refusedAt(error) === undefined) throw error;
      }
    }
  }

  /** Takes units of a batch back, with the items that tell of them. @param records  of `FAILURES_AT_ONCE` at most */
  protected async reopen(id: string, batch: number, records: readonly Reopened[]): Promise<void> {
    for (;;) {
      const item = await this.#batch(id, batch);
      if (!item) return;
      const done = new Bitmap(item.done);
      const clean = new Bitmap(item.clean);
      const sums = new Map<string, number>();
      for (const { unit, counted } of records) {
        if (unit !== undefined) {
          done.delete(unit);
          clean.delete(unit);
        }
        for (const [name, value] of counted) sums.set(name, (sums.get(name) ?? 0) - value);
      }
      const reopened = this.table.update(id, batchKey(batch), {
        expression: 'SET done = :done, clean = :clean, #sequence = :next',
        condition: '#sequence = :read',
        names: { '#sequence': 'sequence' },
        values: {
          ':done': done.bytes,
          ':clean': clean.bytes,
          ':read': item.sequence,
          ':next': item.sequence + 1,
        },
      });
      const changed = sums.size === 0 ? [reopened] : [reopened, this.#add(id, batch, sums)];
      try {
        const deletions = records.map(({ sk }) => this.table.deletion(id, sk));
        await this.table.transact([...changed, ...deletions]);
        return;
      } catch (error) {
        // Somebody reopened these before: that one took them back.
        if ((refusedAt(error) ?? 0) >= changed.length) return;
        if (refusedAt(error) === undefined) throw error;
      }
    }
  }

  #add(id: string, batch: number, sums: ReadonlyMap<string, number>): Writes[number] {
    return this.table.update(id, countersKey(batch), this.#adding(sums));
  }

  #adding(sums: ReadonlyMap<string, number>): Change {
    const counts = [...sums];
    return {
      expression: `SET #expires = :expires ADD ${counts.map((_, index) => `#c${index} :c${index}`).join()}`,
      names: {
        '#expires': tableKeys.expires,
        ...Object.fromEntries(counts.map(([name], index) => [`#c${index}`, name])),
      },
      values: {
        ':expires': this.table.expires(),
        ...Object.fromEntries(counts.map(([, value], index) => [`:c${index}`, value])),
      },
    };
  }

  /** Raises a number of the batch record; one that is as high already stays. */
  async #raise(id: string, batch: number, owner: string, name: 'attempts' | 'swept', value: number): Promise<void> {
    const item = await this.#owned(id, batch, owner);
    if (item[name] >= value) return;
    try {
      await this.table.change(id, batchKey(batch), {
        expression: 'SET #name = :value',
        condition: '#owner = :owner',
        names: { '#owner': 'owner', '#name': name },
        values: { ':owner': owner, ':value': value },
      });
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw new SupersededError(batch);
      throw error;
    }
  }

  async #owned(id: string, batch: number, owner: string): Promise<BatchItem> {
    const item = await this.#batch(id, batch);
    if (item?.owner !== owner) throw new SupersededError(batch);
    return item;
  }

  async #batch(id: string, batch: number): Promise<BatchItem | undefined> {
    return (await this.table.get(id, batchKey(batch))) as BatchItem | undefined;
  }
}

/** A unit that is taken back. */
interface Reopened {
  /** Key of the item that tells of it. */
  readonly sk: string;
  /** Its number, if it has an outcome. */
  readonly unit: number | undefined;
  readonly counted: ReadonlyMap<string, number>;
}

/** As JSON: its digests are keyed by what no attribute's name may hold. */
function chunkItem(id: string, record: ChunkRecord): Item {
  return { pk: partitionOf(id), sk: chunkKey(record.split, record.chunk), record: JSON.stringify(record) };
}

function activeName(owner: string): string {
  return `${ACTIVE}${owner}`;
}

/** Until when copiers of a batch that have not ended may be at work; 0 when there is none. */
export function copiersUntilMs(item: Item): number {
  const active = Object.entries(item).filter(([name]) => name.startsWith(ACTIVE));
  return Math.max(0, ...active.map(([, value]) => Number(value)));
}

/** As many outcomes as one transaction takes. */
function endOfWrite(outcomes: readonly Recorded[], from: number): number {
  let [items, bytes] = [0, 0];
  for (let at = from; at < outcomes.length; at++) {
    const outcome = outcomes[at];
    if (!outcome || !(isUnsettled(outcome) || isOfChunk(outcome))) continue;
    items += 1;
    bytes += JSON.stringify(outcome).length;
    if (items > FAILURES_AT_ONCE || (items > 1 && bytes > BYTES_AT_ONCE)) return at;
  }
  return outcomes.length;
}

/** Index of the first item whose condition refused a transaction, or that met another transaction; undefined for other errors. */
export function refusedAt(error: unknown): number | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const codes = error.CancellationReasons?.map(({ Code }) => Code) ?? [];
  const at = codes.findIndex((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');
  return at < 0 ? undefined : at;
}
