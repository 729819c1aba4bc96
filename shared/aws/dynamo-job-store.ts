import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { Bitmap } from '../job/bitmap.ts';
import type { FinishCursor } from '../finish/directories.ts';
import { JobClosedError, SpecError, SupersededError } from '../errors.ts';
import { deathRecord, tableKeys } from '../names.ts';
import type { Claim, JobStore, RecordedFailure } from '../job/job-store.ts';
import { type Counters, countersOf, type FailedOutcome, type UnitOutcome } from '../job/outcome.ts';
import { type Job, storedJob } from '../job/job.ts';

/** Counters are spread over these many items: one item takes about 1,000 writes a second. */
const COUNTER_SHARDS = 8;
/** A transaction holds 100 items (DynamoDB quota); batch record and counters are two of them. */
const FAILURES_AT_ONCE = 90;

type Items = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** A batch as it is kept; beside it `active <owner>`: until when at most a copier that has not ended may be at work. */
interface BatchItem {
  readonly sk: string;
  readonly owner: string;
  readonly claim: number;
  readonly attempts: number;
  readonly swept: number;
  readonly done: Uint8Array;
  /** Raised by every write that changes `done`. */
  readonly sequence: number;
}

export interface DynamoJobStoreOptions {
  /** Days after which records expire. */
  readonly retentionDays: number;
  /** Until when a copier that claims through this store may be at work, ms since the epoch. */
  readonly copierUntilMs?: number;
}

/**
 * The job store on AWS: one table, every item of a job under one partition key.
 *
 *     pk JOB#<job>   sk JOB                the job
 *                       BATCH#<batch>      owner, claim, bitmap of units done
 *                       COUNTERS#<shard>   sums
 *                       FAILURE#<time>#…   one failed unit
 *     pk JOBS        sk <started>#<job>    for listing the newest
 *
 * What makes counts exact: recording is ONE transaction of
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
export class DynamoJobStore implements JobStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #options: Required<DynamoJobStoreOptions>;

  constructor(client: DynamoDBDocumentClient, table: string, options: DynamoJobStoreOptions) {
    this.#client = client;
    this.#table = table;
    this.#options = { copierUntilMs: 0, ...options };
  }

  async create(job: Job): Promise<void> {
    const listing = { pk: 'JOBS', sk: listedAs(job), job: job.id };
    await this.#transact([
      this.#put({ pk: partitionOf(job.id), sk: 'JOB', ...job }, 'attribute_not_exists(pk)'),
      this.#put(listing),
    ]);
  }

  async get(id: string): Promise<Job | undefined> {
    const item = await this.#get(id, 'JOB');
    return item && jobOf(item);
  }

  async list(limit: number): Promise<Job[]> {
    const jobs: Job[] = [];
    const newest = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': 'JOBS' } };
    for await (const { job } of this.#query({ ...newest, ScanIndexForward: false }, limit)) {
      const found = await this.get(String(job));
      if (found) jobs.push(found);
    }
    return jobs;
  }

  async update(id: string, changes: Partial<Omit<Job, 'id'>>): Promise<void> {
    const entries = Object.entries(changes);
    const set = entries.filter(([, value]) => value !== undefined).map(([name]) => `#${name} = :${name}`);
    const remove = entries.filter(([, value]) => value === undefined).map(([name]) => `#${name}`);
    const expression = [set.length > 0 ? `SET ${set.join()}` : '', remove.length > 0 ? `REMOVE ${remove.join()}` : ''];
    const values = Object.fromEntries(entries.filter(([, v]) => v !== undefined).map(([name, v]) => [`:${name}`, v]));
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: partitionOf(id), sk: 'JOB' },
          UpdateExpression: expression.join(' ').trim(),
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
          ...(set.length > 0 ? { ExpressionAttributeValues: values } : {}),
        }),
      );
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw new Error(`no job ${id}`, { cause: error });
      throw error;
    }
  }

  /**
   * Writes the claim before it reads whether the job is closing, and `beginClosing` the other way round: whichever comes first, one
   * of the two sees the other.
   * @throws JobClosedError when the job is being closed or has ended
   */
  async claim(id: string, batch: number, owner: string): Promise<Claim> {
    const { Attributes } = await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { pk: partitionOf(id), sk: batchKey(batch) },
        UpdateExpression:
          'SET #owner = :owner, claim = if_not_exists(claim, :zero) + :one, attempts = if_not_exists(attempts, :zero), ' +
          'swept = if_not_exists(swept, :zero), done = if_not_exists(done, :none), ' +
          '#sequence = if_not_exists(#sequence, :zero), #active = :until, #expires = :expires',
        ExpressionAttributeNames: {
          '#owner': 'owner',
          '#sequence': 'sequence',
          '#active': activeName(owner),
          '#expires': tableKeys.expires,
        },
        ExpressionAttributeValues: {
          ':owner': owner,
          ':zero': 0,
          ':one': 1,
          ':none': new Uint8Array([0]),
          ':until': this.#options.copierUntilMs,
          ':expires': this.#expires(),
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const job = await this.#get(id, 'JOB');
    if (!job || 'closing' in job) {
      await this.release(id, batch, owner);
      throw new JobClosedError(id);
    }
    return claimOf(Attributes as unknown as BatchItem);
  }

  /** After a copier's last request: nobody needs to wait for it any more. It need not be the owner. */
  async release(id: string, batch: number, owner: string): Promise<void> {
    await this.#set(id, batchKey(batch), 'REMOVE #active', undefined, { '#active': activeName(owner) });
  }

  async requireOwner(id: string, batch: number, owner: string): Promise<void> {
    const item = await this.#batch(id, batch);
    if (item?.owner !== owner) throw new SupersededError(batch);
  }

  async noteAttempt(id: string, batch: number, owner: string, attempt: number): Promise<void> {
    await this.#raise(id, batch, owner, 'attempts', attempt);
  }

  async noteSwept(id: string, batch: number, owner: string, claim: number): Promise<void> {
    await this.#raise(id, batch, owner, 'swept', claim);
  }

  async record(id: string, batch: number, owner: string, outcomes: readonly UnitOutcome[]): Promise<void> {
    if (outcomes.length === 0) return this.requireOwner(id, batch, owner);
    for (let at = 0; at < outcomes.length;) {
      const end = endOfWrite(outcomes, at);
      await this.#recordOnce(id, batch, owner, outcomes.slice(at, end));
      at = end;
    }
  }

  async reopenFailed(id: string): Promise<void> {
    const byBatch = new Map<number, { sk: string; outcome: FailedOutcome }[]>();
    for await (const item of this.#under(id, 'FAILURE#')) {
      const { sk, batch, outcome } = item as unknown as { sk: string; batch: number; outcome: FailedOutcome };
      const list = byBatch.get(batch) ?? [];
      list.push({ sk, outcome });
      byBatch.set(batch, list);
      if (list.length === FAILURES_AT_ONCE) {
        await this.#reopen(id, batch, list);
        byBatch.delete(batch);
      }
    }
    for (const [batch, list] of byBatch) await this.#reopen(id, batch, list);
  }

  async *claims(id: string): AsyncIterable<Claim & { readonly batch: number }> {
    for await (const item of this.#under(id, 'BATCH#')) {
      const batch = item as unknown as BatchItem;
      yield { ...claimOf(batch), batch: batchOf(batch.sk) };
    }
  }

  async counters(id: string): Promise<Counters> {
    const sums = new Map<string, number>();
    for await (const { pk, sk, [tableKeys.expires]: expires, ...counts } of this.#under(id, 'COUNTERS#')) {
      for (const [name, value] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
    return new Map([...sums].filter(([, value]) => value !== 0));
  }

  async failures(id: string, limit: number, after = ''): Promise<RecordedFailure[]> {
    if (after !== '' && !after.startsWith('FAILURE#'))
      throw new SpecError(`"${after}" is not the mark of a failure`, 'take it from the page before');
    const found: RecordedFailure[] = [];
    for await (const item of this.#under(id, 'FAILURE#', limit, after)) {
      const { sk, batch, outcome } = item as unknown as { sk: string; batch: number; outcome: FailedOutcome };
      found.push({ ...outcome.failure, sequence: sk, batch, unit: outcome.unit });
    }
    return found;
  }

  /** From here on no batch can be claimed, and every copier finds that it owns nothing. Safe to run again. */
  async beginClosing(id: string): Promise<void> {
    await this.#set(id, 'JOB', 'SET closing = :true', { ':true': true });
    for await (const item of this.#under(id, 'BATCH#')) {
      await this.#set(id, String(item['sk']), 'SET #owner = :closed', { ':closed': CLOSED }, { '#owner': 'owner' });
    }
  }

  /** Until when copiers that have neither ended nor passed their deadline may be at work; 0 when there is none. */
  async copiersUntilMs(id: string): Promise<number> {
    let untilMs = 0;
    for await (const item of this.#under(id, 'BATCH#')) {
      const active = Object.entries(item).filter(([name]) => name.startsWith(ACTIVE));
      untilMs = Math.max(untilMs, ...active.map(([, value]) => Number(value)));
    }
    return untilMs > Date.now() ? untilMs : 0;
  }

  /** Batches whose copier died without a word, with what the state machine was told. */
  async *deaths(id: string): AsyncIterable<{ readonly batch: number; readonly error: string }> {
    for await (const item of this.#under(id, deathRecord.sortPrefix)) {
      yield { batch: Number(String(item['sk']).slice(deathRecord.sortPrefix.length)), error: String(item['error']) };
    }
  }

  async forgetDeath(id: string, batch: number): Promise<void> {
    const Key = { pk: partitionOf(id), sk: `${deathRecord.sortPrefix}${batch}` };
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key }));
  }

  async finishCursor(id: string): Promise<FinishCursor | undefined> {
    const item = await this.#get(id, FINISH);
    return item && (JSON.parse(String(item['cursor'])) as FinishCursor);
  }

  async keepFinishCursor(id: string, cursor: FinishCursor | undefined): Promise<void> {
    const key = { pk: partitionOf(id), sk: FINISH };
    await this.#transact([
      cursor ? this.#put({ ...key, cursor: JSON.stringify(cursor) }) : { Delete: { TableName: this.#table, Key: key } },
    ]);
  }

  /** A closed job goes on: batches can be claimed again. */
  async reopen(id: string): Promise<void> {
    await this.#set(id, 'JOB', 'REMOVE closing', undefined);
  }

  async #recordOnce(id: string, batch: number, owner: string, outcomes: readonly UnitOutcome[]): Promise<void> {
    for (;;) {
      const item = await this.#batch(id, batch);
      if (item?.owner !== owner) throw new SupersededError(batch);
      const done = new Bitmap(item.done);
      const sums = new Map<string, number>();
      const failures: Items = [];
      for (const outcome of outcomes) {
        if (done.has(outcome.unit)) continue;
        done.add(outcome.unit);
        for (const [name, value] of countersOf(outcome)) sums.set(name, (sums.get(name) ?? 0) + value);
        if (outcome.outcome === 'failed') {
          const sk = `FAILURE#${recordingOrder()}#${batch}#${outcome.unit}`;
          failures.push(this.#put({ pk: partitionOf(id), sk, batch, outcome }));
        }
      }
      if (sums.size === 0) return;
      const mine = { condition: '#owner = :owner AND #sequence = :read', values: { ':owner': owner } };
      try {
        await this.#transact([
          this.#changeDone(id, batch, item.sequence, done, mine),
          this.#add(id, batch, sums),
          ...failures,
        ]);
        return;
      } catch (error) {
        // Another write came between reading and writing: look again. An owner who lost finds out there.
        if (refusedAt(error) === undefined) throw error;
      }
    }
  }

  async #reopen(id: string, batch: number, failed: readonly { sk: string; outcome: FailedOutcome }[]): Promise<void> {
    for (;;) {
      const item = await this.#batch(id, batch);
      if (!item) return;
      const done = new Bitmap(item.done);
      const sums = new Map<string, number>();
      for (const { outcome } of failed) {
        done.delete(outcome.unit);
        for (const [name, value] of countersOf(outcome)) sums.set(name, (sums.get(name) ?? 0) - value);
      }
      const deletions = failed.map(({ sk }) => ({
        Delete: {
          TableName: this.#table,
          Key: { pk: partitionOf(id), sk },
          ConditionExpression: 'attribute_exists(pk)',
        },
      }));
      try {
        const anyone = { condition: '#sequence = :read', values: {} };
        await this.#transact([
          this.#changeDone(id, batch, item.sequence, done, anyone),
          this.#add(id, batch, sums),
          ...deletions,
        ]);
        return;
      } catch (error) {
        // Somebody reopened these before: that one took them back.
        if ((refusedAt(error) ?? 0) > 1) return;
        if (refusedAt(error) === undefined) throw error;
      }
    }
  }

  #changeDone(
    id: string,
    batch: number,
    sequence: number,
    done: Bitmap,
    { condition, values }: { condition: string; values: Record<string, unknown> },
  ): Items[number] {
    return {
      Update: {
        TableName: this.#table,
        Key: { pk: partitionOf(id), sk: batchKey(batch) },
        UpdateExpression: 'SET done = :done, #sequence = :next',
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#sequence': 'sequence', ...(':owner' in values ? { '#owner': 'owner' } : {}) },
        ExpressionAttributeValues: { ':done': done.bytes, ':read': sequence, ':next': sequence + 1, ...values },
      },
    };
  }

  #add(id: string, batch: number, sums: ReadonlyMap<string, number>): Items[number] {
    const counts = [...sums];
    return {
      Update: {
        TableName: this.#table,
        Key: { pk: partitionOf(id), sk: `COUNTERS#${batch % COUNTER_SHARDS}` },
        UpdateExpression: `SET #expires = :expires ADD ${counts.map((_, index) => `#c${index} :c${index}`).join()}`,
        ExpressionAttributeNames: {
          '#expires': tableKeys.expires,
          ...Object.fromEntries(counts.map(([name], index) => [`#c${index}`, name])),
        },
        ExpressionAttributeValues: {
          ':expires': this.#expires(),
          ...Object.fromEntries(counts.map(([, value], index) => [`:c${index}`, value])),
        },
      },
    };
  }

  /** Raises a number of the batch record; one that is as high already stays. */
  async #raise(id: string, batch: number, owner: string, name: 'attempts' | 'swept', value: number): Promise<void> {
    const item = await this.#batch(id, batch);
    if (item?.owner !== owner) throw new SupersededError(batch);
    if (item[name] >= value) return;
    await this.#asOwner(id, batch, owner, 'SET #name = :value', { '#name': name }, { ':value': value });
  }

  async #asOwner(
    id: string,
    batch: number,
    owner: string,
    expression: string,
    names: Record<string, string>,
    values: Record<string, unknown>,
  ): Promise<void> {
    try {
      await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: partitionOf(id), sk: batchKey(batch) },
          UpdateExpression: expression,
          ConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { '#owner': 'owner', ...names },
          ExpressionAttributeValues: { ':owner': owner, ...values },
        }),
      );
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw new SupersededError(batch);
      throw error;
    }
  }

  async #set(
    id: string,
    sk: string,
    expression: string,
    values: Record<string, unknown> | undefined,
    names?: Record<string, string>,
  ): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { pk: partitionOf(id), sk },
        UpdateExpression: expression,
        ConditionExpression: 'attribute_exists(pk)',
        ...(values ? { ExpressionAttributeValues: values } : {}),
        ...(names ? { ExpressionAttributeNames: names } : {}),
      }),
    );
  }

  async #batch(id: string, batch: number): Promise<BatchItem | undefined> {
    return (await this.#get(id, batchKey(batch))) as BatchItem | undefined;
  }

  async #get(id: string, sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: { pk: partitionOf(id), sk }, ConsistentRead: true }),
    );
    return Item;
  }

  /** A job's items whose sort key begins with `prefix`, in order. */
  #under(id: string, prefix: string, limit?: number, after = ''): AsyncIterable<Record<string, unknown>> {
    // A key range has both its ends in it: `after` itself is left out by the NUL behind it.
    const from = after === '' ? prefix : `${after}\0`;
    return this.#query(
      {
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': partitionOf(id), ':from': from, ':to': `${prefix}~` },
        ConsistentRead: true,
      },
      limit,
    );
  }

  async *#query(
    input: Omit<QueryCommandInput, 'TableName'>,
    limit = Infinity,
  ): AsyncGenerator<Record<string, unknown>> {
    let left = limit;
    let start: QueryCommandInput['ExclusiveStartKey'];
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        ...input,
        ...(start ? { ExclusiveStartKey: start } : {}),
        ...(left === Infinity ? {} : { Limit: left }),
      });
      const { Items = [], LastEvaluatedKey } = await this.#client.send(command);
      yield* Items;
      left -= Items.length;
      start = LastEvaluatedKey;
    } while (start && left > 0);
  }

  #put(item: Record<string, unknown>, condition?: string): Items[number] {
    return {
      Put: {
        TableName: this.#table,
        Item: { ...item, [tableKeys.expires]: this.#expires() },
        ...(condition ? { ConditionExpression: condition } : {}),
      },
    };
  }

  /** Seconds since the epoch, as DynamoDB's TTL wants them. */
  #expires(): number {
    return Math.floor(Date.now() / 1000) + this.#options.retentionDays * 86_400;
  }

  async #transact(items: Items): Promise<void> {
    await this.#client.send(new TransactWriteCommand({ TransactItems: items }));
  }
}

/** Owner of every batch of a job that is being closed: nobody. */
const CLOSED = 'closed';
const ACTIVE = 'active ';
const FINISH = 'FINISH';

function activeName(owner: string): string {
  return `${ACTIVE}${owner}`;
}

function partitionOf(job: string): string {
  return `JOB#${job}`;
}

function batchKey(batch: number): string {
  return `BATCH#${String(batch).padStart(10, '0')}`;
}

function batchOf(sk: string): number {
  return Number(sk.slice('BATCH#'.length));
}

function listedAs({ id, startedAtMs }: Job): string {
  return `${String(startedAtMs).padStart(16, '0')}#${id}`;
}

let lastRecorded = 0;

/** Rises with time, and within a process with every call; 17 digits. */
function recordingOrder(): string {
  lastRecorded = Math.max(Date.now() * 1000, lastRecorded + 1);
  return String(lastRecorded).padStart(17, '0');
}

/** As many outcomes as one transaction takes. */
function endOfWrite(outcomes: readonly UnitOutcome[], from: number): number {
  let failures = 0;
  for (let at = from; at < outcomes.length; at++) {
    if (outcomes[at]?.outcome === 'failed' && ++failures > FAILURES_AT_ONCE) return at;
  }
  return outcomes.length;
}

/** Index of the first item whose condition refused a transaction, or that met another transaction; undefined for other errors. */
function refusedAt(error: unknown): number | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const codes = error.CancellationReasons?.map(({ Code }) => Code) ?? [];
  const at = codes.findIndex((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');
  return at < 0 ? undefined : at;
}

function claimOf({ claim, attempts, swept, done }: BatchItem): Claim {
  return { claim, attempts, swept, done: new Bitmap(done).members() };
}

function jobOf(item: Record<string, unknown>): Job {
  const { pk, sk, closing, [tableKeys.expires]: expires, ...job } = item;
  return storedJob({ endedAtMs: undefined, outcome: undefined, error: undefined, ...job } as unknown as Job);
}
