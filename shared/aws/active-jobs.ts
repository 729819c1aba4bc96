import {
  type DynamoDBDocumentClient,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';

import type { Scale } from './scale.ts';

/** A job at work, from before its first change on a cluster until it is finished or closed. */
export interface ActiveJob {
  readonly job: string;
  /** ARN of the execution that drives it. */
  readonly execution: string;
  readonly startedAtMs: number;
  /** What is to be copied, once that is known. */
  readonly ready?: { readonly batches: number; readonly key: string };
  /** Known when `ready` is. */
  readonly scale?: Scale;
}

/** The jobs at work, few: what the reaper looks at, and where an execution finds its job. */
export class ActiveJobs {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async get(job: string): Promise<ActiveJob | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: activeKey(job), ConsistentRead: true }),
    );
    return Item && activeOf(Item);
  }

  async put(active: ActiveJob): Promise<void> {
    await this.#client.send(new PutCommand({ TableName: this.#table, Item: { ...activeKey(active.job), ...active } }));
  }

  async setReady(job: string, ready: NonNullable<ActiveJob['ready']>, scale: Scale): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: activeKey(job),
        UpdateExpression: 'SET ready = :ready, scale = :scale',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':ready': ready, ':scale': scale },
      }),
    );
  }

  async remove(job: string): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key: activeKey(job) }));
  }

  async list(): Promise<ActiveJob[]> {
    const jobs: ActiveJob[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': 'ACTIVE' },
          ConsistentRead: true,
          ...(start ? { ExclusiveStartKey: start } : {}),
        }),
      );
      jobs.push(...Items.map(activeOf));
      start = LastEvaluatedKey;
    } while (start);
    return jobs;
  }

  /** The job that an execution drives. */
  async drivenBy(execution: string): Promise<ActiveJob | undefined> {
    return (await this.list()).find((active) => active.execution === execution);
  }
}

export function activeKey(job: string): { pk: string; sk: string } {
  return { pk: 'ACTIVE', sk: job };
}

function activeOf({ pk, sk, ...active }: Record<string, unknown>): ActiveJob {
  return active as unknown as ActiveJob;
}
