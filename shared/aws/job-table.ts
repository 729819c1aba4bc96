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
import { deathRecord, tableKeys } from '../names.ts';

export type Item = Record<string, unknown>;
export type Writes = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** Counters are spread over these many items: one item takes about 1,000 writes a second. */
const COUNTER_SHARDS = 8;

/**
 * Where what is kept of a job lies in the table: every item of a job under one partition key.
 *
 *     pk JOB#<job>   sk JOB                the job, and the cursors of its finish and its closing
 *                       BATCH#<batch>      owner, claim, bitmaps of units
 *                       COUNTERS#<shard>   sums
 *                       FAILURE#<time>#…   one failed unit
 *                       CHUNK#<file>#<n>   what became of a chunk of a split file
 *                       PART#<batch>#<unit>#<n>  a part of a file that is copied in parts; of 0, what is known of the file
 *                       GIVENUP#<file>     a split file that is copied as one stream after all
 *                       REFUSED#<file>     a split file whose chunks its server did not join
 *                       REREAD#<file>#<n>  a piece of a split file that was put together, read again
 *                       DEATH#<batch>      a copier that died without a word, written by the state machine
 *     pk JOBS        sk <started>#<job>    for listing the newest
 *     pk LIMIT#…     sk LEASES             up to when a limit is leased (DynamoLeases)
 */
export const sortKeys = {
  job: 'JOB',
  batches: 'BATCH#',
  counters: 'COUNTERS#',
  failures: 'FAILURE#',
  chunks: 'CHUNK#',
  parts: 'PART#',
  givenUp: 'GIVENUP#',
  refused: 'REFUSED#',
  piecesRead: 'REREAD#',
  deaths: deathRecord.sortPrefix,
} as const;

export const LISTING = 'JOBS';

export function partitionOf(job: string): string {
  return `${deathRecord.jobPrefix}${job}`;
}

/** Sorts as the numbers do. */
export function batchKey(batch: number): string {
  return `${sortKeys.batches}${String(batch).padStart(10, '0')}`;
}

export function batchOf(sk: string): number {
  return Number(sk.slice(sortKeys.batches.length));
}

export function countersKey(batch: number): string {
  return `${sortKeys.counters}${batch % COUNTER_SHARDS}`;
}

/** Prefix of a split file's chunks. */
export function chunksOf(split: number): string {
  return `${sortKeys.chunks}${split}#`;
}

export function chunkKey(split: number, chunk: number): string {
  return `${chunksOf(split)}${String(chunk).padStart(10, '0')}`;
}

/** Prefix of what is kept of a file in parts. */
export function partsOf(batch: number, unit: number): string {
  return `${sortKeys.parts}${batch}#${unit}#`;
}

/** @param part  from 1; 0: the file itself */
export function partKey(batch: number, unit: number, part: number): string {
  return `${partsOf(batch, unit)}${String(part).padStart(10, '0')}`;
}

/** Batch, unit and number of a part, from its key. */
export function partOf(sk: string): readonly [batch: number, unit: number, part: number] {
  const [batch, unit, part] = sk.slice(sortKeys.parts.length).split('#').map(Number);
  return [batch ?? 0, unit ?? 0, part ?? 0];
}

export function givenUpKey(split: number): string {
  return `${sortKeys.givenUp}${split}`;
}

export function refusedKey(split: number): string {
  return `${sortKeys.refused}${split}`;
}

/** Prefix of the pieces that were read again of a split file. */
export function piecesReadOf(split: number): string {
  return `${sortKeys.piecesRead}${split}#`;
}

export function deathKey(batch: number): string {
  return `${sortKeys.deaths}${batch}`;
}

let lastRecorded = 0;

/** Failures sort by the time of their recording: it rises with every call within a process. */
export function failureKey(batch: number, unit: number): string {
  lastRecorded = Math.max(Date.now() * 1000, lastRecorded + 1);
  return `${sortKeys.failures}${String(lastRecorded).padStart(17, '0')}#${batch}#${unit}`;
}

/** Which items of a job under a prefix. */
interface Range {
  /** The first sort key; default: the prefix's first. */
  readonly from?: string;
  /** How many at most; default: all. */
  readonly limit?: number;
}

/** One change of one item. */
export interface Change {
  readonly expression: string;
  readonly condition?: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Item>;
}

/** The items of jobs: reading them, and what writes of them are made of. */
export class JobTable {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #retentionDays: number;

  /** @param retentionDays  days after which items expire */
  constructor(client: DynamoDBDocumentClient, table: string, retentionDays: number) {
    this.#client = client;
    this.#table = table;
    this.#retentionDays = retentionDays;
  }

  async get(id: string, sk: string): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: { pk: partitionOf(id), sk }, ConsistentRead: true }),
    );
    return Item;
  }

  /** A job's items whose sort key begins with `prefix`, in order. */
  async *under(id: string, prefix: string, range: Range = {}): AsyncGenerator<Item> {
    for await (const page of this.pagesUnder(id, prefix, range)) yield* page;
  }

  /** As `under`, as many at once as one answer holds: up to 1 MB. */
  pagesUnder(id: string, prefix: string, { from = prefix, limit }: Range = {}): AsyncGenerator<readonly Item[]> {
    return this.#pages(
      {
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': partitionOf(id), ':from': from, ':to': `${prefix}~` },
        ConsistentRead: true,
      },
      limit,
    );
  }

  /** Ids of jobs, the newest first. */
  async *listed(limit: number): AsyncGenerator<string> {
    const newest = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': LISTING } };
    for await (const page of this.#pages({ ...newest, ScanIndexForward: false }, limit)) {
      for (const { job } of page) yield String(job);
    }
  }

  /** @throws ConditionalCheckFailedException */
  async change(id: string, sk: string, change: Change): Promise<Item | undefined> {
    const { Attributes } = await this.#client.send(
      new UpdateCommand({ ...this.#update(id, sk, change), ReturnValues: 'ALL_NEW' }),
    );
    return Attributes;
  }

  async delete(id: string, sk: string): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key: { pk: partitionOf(id), sk } }));
  }

  /** All or nothing. @throws TransactionCanceledException */
  async transact(writes: Writes): Promise<void> {
    await this.#client.send(new TransactWriteCommand({ TransactItems: writes }));
  }

  /** A write of a transaction, as the two below. */
  put(item: Item, condition?: string): Writes[number] {
    return {
      Put: {
        TableName: this.#table,
        Item: { ...item, [tableKeys.expires]: this.expires() },
        ...(condition ? { ConditionExpression: condition } : {}),
      },
    };
  }

  update(id: string, sk: string, change: Change): Writes[number] {
    return { Update: this.#update(id, sk, change) };
  }

  deletion(id: string, sk: string): Writes[number] {
    return {
      Delete: {
        TableName: this.#table,
        Key: { pk: partitionOf(id), sk },
        ConditionExpression: 'attribute_exists(pk)',
      },
    };
  }

  /** Seconds since the epoch, as DynamoDB's TTL wants them. */
  expires(): number {
    return Math.floor(Date.now() / 1000) + this.#retentionDays * 86_400;
  }

  #update(id: string, sk: string, { expression, condition, names, values }: Change) {
    return {
      TableName: this.#table,
      Key: { pk: partitionOf(id), sk },
      UpdateExpression: expression,
      ...(condition === undefined ? {} : { ConditionExpression: condition }),
      ...(names ? { ExpressionAttributeNames: names } : {}),
      ...(values ? { ExpressionAttributeValues: values } : {}),
    };
  }

  async *#pages(input: Omit<QueryCommandInput, 'TableName'>, limit = Infinity): AsyncGenerator<readonly Item[]> {
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
      yield Items;
      left -= Items.length;
      start = LastEvaluatedKey;
    } while (start && left > 0);
  }
}
