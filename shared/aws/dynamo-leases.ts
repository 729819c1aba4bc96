import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { FARTHEST_MS, type Lease, type Leases } from '../limits/leases.ts';
import { tableKeys } from '../names.ts';

/** A budget that nobody has spent for so long is forgotten, s. */
const EXPIRES_S = 86_400;

const GOES_ON = 'endsAt BETWEEN :now AND :farthest';
const BEGINS = 'attribute_not_exists(endsAt) OR endsAt < :now OR endsAt > :farthest';

/**
 * Leases of budgets in DynamoDB: one item a budget, under a partition key of its own, with the time up to which it is leased.
 *
 *     endsAt  if now or later     add to it       what happens while a limit binds: one write a lease
 *             else                now, and added  after a pause: a refused write before it
 */
export class DynamoLeases implements Leases {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async lease(budget: string, lastsMs: number, nowMs: number): Promise<Lease> {
    for (;;) {
      const item =
        (await this.#change(budget, 'endsAt + :lasts', GOES_ON, lastsMs, nowMs)) ??
        // Somebody else may have begun it meanwhile: then the first way is tried again.
        (await this.#change(budget, ':now + :lasts', BEGINS, lastsMs, nowMs));
      if (item) return { startAtMs: item.endsAt - lastsMs, count: item.leases };
    }
  }

  /** @returns undefined when the condition does not hold */
  async #change(budget: string, endsAt: string, condition: string, lastsMs: number, nowMs: number) {
    try {
      const { Attributes } = await this.#client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { pk: `LIMIT#${budget}`, sk: 'LEASES' },
          UpdateExpression: `SET endsAt = ${endsAt}, #expires = :expires ADD leases :one`,
          ConditionExpression: condition,
          ExpressionAttributeNames: { '#expires': tableKeys.expires },
          ExpressionAttributeValues: {
            ':now': nowMs,
            ':lasts': lastsMs,
            ':farthest': nowMs + FARTHEST_MS,
            ':expires': Math.floor(nowMs / 1000) + EXPIRES_S,
            ':one': 1,
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return Attributes as { readonly endsAt: number; readonly leases: number };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}
