import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { batchKey, batchOf, deathKey, type Item, sortKeys } from '../../shared/aws/job-table.ts';
import type { Bitmap } from '../../shared/job/bitmap.ts';
import type { GeneratedJob } from './generated-job.ts';

/** Batches in a page of a query: DynamoDB's hold 1 MB. */
const PAGE = 2000;

/**
 * A client of a table with one generated job in it: its batches are made as they are read, page by page, and only what is written is held.
 * Speaks as much of DynamoDB's expressions as the job store uses; the store's contract suite runs against a real emulator.
 */
export class GeneratedTable {
  readonly #job: GeneratedJob;
  readonly #items = new Map<string, Item>();
  /** Batches that were taken from their owners, which may be all. */
  readonly #closed: Uint8Array;
  /** Batches that were read by queries. */
  read = 0;

  constructor(job: GeneratedJob) {
    this.#job = job;
    this.#closed = new Uint8Array(job.batches);
    this.#items.set(sortKeys.job, { pk: 'JOB', sk: sortKeys.job, ...job.job });
    const copied = job.batches * job.units - job.count((batch) => job.isDead(batch));
    this.#items.set(`${sortKeys.counters}0`, { 'files.copied': copied, 'bytes.copied': copied });
    for (let batch = 0; batch < job.batches; batch++) {
      if (job.isDead(batch)) this.#items.set(deathKey(batch), { sk: deathKey(batch), error: 'Lambda.Unknown' });
    }
  }

  get client(): DynamoDBDocumentClient {
    return { send: (command: object) => Promise.resolve(this.#answer(command)) } as unknown as DynamoDBDocumentClient;
  }

  /** Batches that were taken from their owners. */
  get closed(): number {
    return this.#closed.reduce((sum, one) => sum + one, 0);
  }

  #answer(command: object): object {
    if (command instanceof GetCommand) return { Item: this.#item(String(command.input.Key?.['sk'])) };
    if (command instanceof QueryCommand) return this.#query(command.input.ExpressionAttributeValues ?? {}, command);
    if (command instanceof UpdateCommand) return this.#update(command.input);
    if (command instanceof DeleteCommand) return { deleted: this.#items.delete(String(command.input.Key?.['sk'])) };
    if (!(command instanceof TransactWriteCommand)) throw new Error(`unknown: ${command.constructor.name}`);
    for (const { Update: update, Put: put, Delete: deletion } of command.input.TransactItems ?? []) {
      if (update) this.#update(update, true);
      if (put?.Item) this.#items.set(String(put.Item['sk']), put.Item);
      if (deletion) this.#items.delete(String(deletion.Key?.['sk']));
    }
    return {};
  }

  #item(sk: string): Item | undefined {
    const kept = this.#items.get(sk);
    if (kept || !sk.startsWith(sortKeys.batches)) return kept;
    const batch = batchOf(sk);
    if (batch >= this.#job.batches) return undefined;
    const { done, clean, ...claim } = this.#job.claimOf(batch);
    const bitmaps = { done: (done as Bitmap).bytes, clean: (clean as Bitmap).bytes };
    const owner = this.#closed[batch] === 1 ? 'closed' : 'copier';
    return { pk: 'JOB', sk, ...claim, ...bitmaps, owner, sequence: 1, 'active copier': 0 };
  }

  #query({ ':from': from, ':to': to }: Item, { input }: QueryCommand): object {
    const [first, last] = [String(input.ExclusiveStartKey?.['sk'] ?? from), String(to)];
    if (first.startsWith(sortKeys.batches)) {
      const start = input.ExclusiveStartKey ? batchOf(first) + 1 : batchOf(first);
      const end = Math.min(start + PAGE, this.#job.batches);
      const Items = Array.from({ length: Math.max(0, end - start) }, (_, at) => this.#item(batchKey(start + at)));
      this.read += Items.length;
      return { Items, ...(end < this.#job.batches ? { LastEvaluatedKey: { sk: batchKey(end - 1) } } : {}) };
    }
    const found = [...this.#items].filter(([sk]) => sk >= first && sk <= last).sort(([a], [b]) => (a < b ? -1 : 1));
    return { Items: found.slice(0, input.Limit).map(([, item]) => item) };
  }

  #update(input: UpdateCommandInput, isTransaction = false): object {
    const sk = String(input.Key?.['sk']);
    const { ConditionExpression: condition, ExpressionAttributeNames: names = {} } = input;
    const { ExpressionAttributeValues: values = {}, UpdateExpression: expression = '' } = input;
    const item: Item = { ...(this.#item(sk) ?? { sk }) };
    const nameOf = (name: string) => names[name.trim()] ?? name.trim();
    const holds = (condition ?? '').split(' AND ').every((one) => {
      const [, not, attribute] = /^attribute_(not_)?exists\((\w+)\)$/.exec(one) ?? [];
      if (attribute !== undefined) return attribute in item === (not === undefined);
      const [name = '', value = ''] = one.split(' = ');
      return one === '' || item[nameOf(name)] === values[value];
    });
    if (!holds) {
      const details = { message: 'refused', $metadata: {} };
      if (!isTransaction) throw new ConditionalCheckFailedException(details);
      throw new TransactionCanceledException({
        ...details,
        CancellationReasons: [{ Code: 'ConditionalCheckFailed' }],
      });
    }
    if (values[':closed'] === 'closed') {
      this.#closed[batchOf(sk)] = 1;
      return {};
    }
    for (const [, clause, changes = ''] of expression.matchAll(/(SET|REMOVE|ADD) (.*?)(?= REMOVE | ADD |$)/g)) {
      for (const change of changes.split(/,(?![^(]*\))/)) {
        const [name = '', value = ''] = change.trim().split(clause === 'ADD' ? ' ' : ' = ');
        const old = item[nameOf(name)];
        if (clause === 'REMOVE') Reflect.deleteProperty(item, nameOf(name));
        else if (clause === 'ADD') item[nameOf(name)] = Number(old ?? 0) + Number(values[value]);
        else item[nameOf(name)] = assigned(value, old, values);
      }
    }
    this.#items.set(sk, item);
    return { Attributes: item };
  }
}

/** `:value`, `if_not_exists(name, :value)` or `if_not_exists(name, :value) + :more`. */
function assigned(expression: string, old: unknown, values: Item): unknown {
  const [, initial, more] = /^if_not_exists\([#\w]+, (:\w+)\)(?: \+ (:\w+))?$/.exec(expression) ?? [];
  if (initial === undefined) return values[expression];
  const present = old ?? values[initial];
  return more === undefined ? present : Number(present) + Number(values[more]);
}
