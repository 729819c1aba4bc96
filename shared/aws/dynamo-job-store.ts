import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { gunzipSync, gzipSync } from 'node:zlib';
import { JobClosedError, SpecError } from '../errors.ts';
import { type Job, storedJob } from '../job/job.ts';
import type { JobOptions } from '../job/spec.ts';
import type { JobStore, RecordedFailure } from '../job/job-store.ts';
import type { Counters } from '../job/outcome.ts';
import { tableKeys } from '../names.ts';
import type { Lease } from '../limits/leases.ts';
import { DynamoLeases } from './dynamo-leases.ts';
import type { FailureItem } from './dynamo-batches.ts';
import { DynamoPieces } from './dynamo-pieces.ts';
import { DynamoClosing } from './dynamo-closing.ts';
import { deathKey, type Item, JobTable, LISTING, partitionOf, sortKeys } from './job-table.ts';
import type { DeathRecords } from '../finish/finishing.ts';

export interface DynamoJobStoreOptions {
  /** Days after which records expire. */
  readonly retentionDays: number;
  /** Until when a copier that claims through this store may be at work, ms since the epoch. */
  readonly copierUntilMs?: number;
}

/** The job store on AWS: one table for all jobs of a deployment. */
export class DynamoJobStore extends DynamoPieces implements JobStore, DeathRecords {
  readonly closing: DynamoClosing;
  readonly #leases: DynamoLeases;

  constructor(
    client: DynamoDBDocumentClient,
    table: string,
    { retentionDays, copierUntilMs = 0 }: DynamoJobStoreOptions,
  ) {
    super(new JobTable(client, table, retentionDays), copierUntilMs);
    this.closing = new DynamoClosing(this.table);
    this.#leases = new DynamoLeases(client, table);
  }

  async create(job: Job): Promise<void> {
    const listing = { pk: LISTING, sk: listedAs(job), job: job.id };
    await this.table.transact([
      this.table.put({ pk: partitionOf(job.id), sk: sortKeys.job, ...job }, 'attribute_not_exists(pk)'),
      this.table.put(listing),
    ]);
  }

  async get(id: string): Promise<Job | undefined> {
    const item = await this.table.get(id, sortKeys.job);
    return item && jobOf(item);
  }

  async list(limit: number): Promise<Job[]> {
    const jobs: Job[] = [];
    for await (const id of this.table.listed(limit)) {
      const found = await this.get(id);
      if (found) jobs.push(found);
    }
    return jobs;
  }

  async update(id: string, changes: Partial<Omit<Job, 'id'>>): Promise<void> {
    if (!(await this.#changeJob(id, changes, 'attribute_exists(pk)'))) throw new Error(`no job ${id}`);
  }

  async setOptions(id: string, changes: Partial<JobOptions>): Promise<void> {
    const entries = Object.entries(changes);
    if (entries.length === 0) return;
    const names = Object.fromEntries(entries.map(([name]) => [`#${name}`, name]));
    try {
      await this.table.change(id, sortKeys.job, {
        expression: `SET ${entries.map(([name]) => `#spec.#options.#${name} = :${name}`).join()}`,
        condition: 'attribute_exists(pk)',
        names: { '#spec': 'spec', '#options': 'options', ...names },
        values: Object.fromEntries(entries.map(([name, value]) => [`:${name}`, value])),
      });
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw new Error(`no job ${id}`, { cause: error });
      throw error;
    }
  }

  lease(budget: string, lastsMs: number, nowMs: number): Promise<Lease> {
    return this.#leases.lease(budget, lastsMs, nowMs);
  }

  async counters(id: string): Promise<Counters> {
    const sums = new Map<string, number>();
    for await (const { pk, sk, [tableKeys.expires]: expires, ...counts } of this.table.under(id, sortKeys.counters)) {
      for (const [name, value] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
    return new Map([...sums].filter(([, value]) => value !== 0));
  }

  async failures(id: string, limit: number, after = ''): Promise<RecordedFailure[]> {
    if (after !== '' && !after.startsWith(sortKeys.failures))
      throw new SpecError(`"${after}" is not the mark of a failure`, 'take it from the page before');
    const found: RecordedFailure[] = [];
    // A key range has both its ends in it: `after` itself is left out by the NUL behind it.
    const range = { limit, ...(after === '' ? {} : { from: `${after}\0` }) };
    for await (const item of this.table.under(id, sortKeys.failures, range)) {
      const { sk, batch, outcome } = item as unknown as FailureItem;
      found.push({ ...outcome.failure, sequence: sk, batch, unit: outcome.unit });
    }
    return found;
  }

  async hasDeaths(id: string): Promise<boolean> {
    for await (const _ of this.table.under(id, sortKeys.deaths, { limit: 1 })) return true;
    return false;
  }

  async deathOf(id: string, batch: number): Promise<string | undefined> {
    const item = await this.table.get(id, deathKey(batch));
    return item && String(item['error']);
  }

  async forgetDeaths(id: string, isOver: () => boolean): Promise<boolean> {
    for await (const { sk } of this.table.under(id, sortKeys.deaths)) {
      await this.table.delete(id, String(sk));
      if (isOver()) return false;
    }
    return true;
  }

  async finishCursor(id: string): Promise<unknown> {
    return cursorIn((await this.table.get(id, sortKeys.job))?.['finishCursor']);
  }

  /** @throws JobClosedError when the job is not being finished: it was closed, or taken up again, and its cursor begins anew */
  async keepFinishCursor(id: string, cursor: object | undefined): Promise<void> {
    if (cursor) return this.#changeFinishing(id, { finishCursor: packed(cursor) });
    const isThere = await this.#changeJob(id, { finishCursor: undefined }, 'attribute_exists(pk)');
    if (!isThere) throw new Error(`no job ${id}`);
  }

  async beginSecondPass(id: string): Promise<boolean> {
    const changes = { phase: 'planning', pass: 2, finishCursor: undefined } as const;
    return this.#changeJob(id, changes, 'attribute_exists(pk) AND attribute_not_exists(#pass)');
  }

  /** @throws JobClosedError when the job is not being finished: its end is another's */
  async endFinish(id: string, ending: Partial<Omit<Job, 'id'>>): Promise<void> {
    try {
      await this.#changeFinishing(id, { ...ending, finishCursor: undefined });
    } catch (error) {
      // The SDK asks again when an answer is lost, and then finds what it has written itself.
      if ((await this.get(id))?.endedAtMs !== ending.endedAtMs) throw error;
    }
  }

  async closeCursor(id: string): Promise<unknown> {
    return cursorIn((await this.table.get(id, sortKeys.job))?.['closeCursor']);
  }

  /** @throws JobClosedError when the job is not being closed: it was taken up again */
  async keepCloseCursor(id: string, cursor: object | undefined): Promise<void> {
    const isClosing = await this.#changeJob(id, { closeCursor: packed(cursor) }, 'attribute_exists(closing)');
    if (!isClosing) throw new JobClosedError(id);
  }

  /** The last change of a job that is being closed. @throws JobClosedError when it is not: it was taken up again */
  async endClosing(id: string, ending: Partial<Omit<Job, 'id'>>): Promise<void> {
    if (!(await this.#changeJob(id, ending, 'attribute_exists(closing)'))) throw new JobClosedError(id);
  }

  /** A Lambda outlives the execution that called it, and then finishes what a closing has ended. */
  async #changeFinishing(id: string, changes: object): Promise<void> {
    const isFinishing = 'phase = :finishing AND attribute_not_exists(closing)';
    if (!(await this.#changeJob(id, changes, isFinishing, { ':finishing': 'finishing' }))) throw new JobClosedError(id);
  }

  /** @returns false when the condition does not hold */
  async #changeJob(id: string, changes: object, condition: string, values: Item = {}): Promise<boolean> {
    const entries = Object.entries(changes) as [string, unknown][];
    const set = entries.filter(([, value]) => value !== undefined);
    const remove = entries.filter(([, value]) => value === undefined);
    const expression = [
      set.length > 0 ? `SET ${set.map(([name]) => `#${name} = :${name}`).join()}` : '',
      remove.length > 0 ? `REMOVE ${remove.map(([name]) => `#${name}`).join()}` : '',
    ];
    const all = { ...values, ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])) };
    try {
      await this.table.change(id, sortKeys.job, {
        expression: expression.join(' ').trim(),
        condition,
        names: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
        ...(Object.keys(all).length > 0 ? { values: all } : {}),
      });
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** An item holds 400 KB, and the cursor of a walk has every directory down from the root, each with its name and its status at both ends. */
function packed(cursor: object | undefined): Uint8Array | undefined {
  return cursor && gzipSync(JSON.stringify(cursor));
}

function cursorIn(kept: unknown): unknown {
  return kept === undefined ? undefined : (JSON.parse(gunzipSync(kept as Uint8Array).toString()) as unknown);
}

function listedAs({ id, startedAtMs }: Job): string {
  return `${String(startedAtMs).padStart(16, '0')}#${id}`;
}

function jobOf(item: Item): Job {
  const { pk, sk, closing, finishCursor, closeCursor, [tableKeys.expires]: expires, ...job } = item;
  return storedJob({ endedAtMs: undefined, outcome: undefined, error: undefined, ...job } as unknown as Job);
}
