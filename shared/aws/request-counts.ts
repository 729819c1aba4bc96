import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';

/** Requests that clients have sent since this process began. */
export interface RequestCounts {
  /** Request units. */
  dynamoReads: number;
  dynamoWrites: number;
  s3Puts: number;
  s3Gets: number;
}

export const noRequests = (): RequestCounts => ({ dynamoReads: 0, dynamoWrites: 0, s3Puts: 0, s3Gets: 0 });

/**
 * Counts what two clients send from now on. Of DynamoDB the units that it says a request has consumed; of one that was refused or does not say,
 * a unit, or two for each item of a transaction. The SDK's own tries of a request count once.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
 */
export function countRequests(counts: RequestCounts, { dynamo, s3 }: { dynamo: DynamoDBClient; s3: S3Client }): void {
  dynamo.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const kind = /^(?:Get|Query|Scan|BatchGet)/.test(commandName) ? 'dynamoReads' : 'dynamoWrites';
        const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' } as typeof args.input;
        const items = 'TransactItems' in input ? 2 * (input.TransactItems?.length ?? 0) : 1;
        try {
          const answer = await next({ ...args, input });
          counts[kind] += consumedIn(answer.output) ?? items;
          return answer;
        } catch (error) {
          counts[kind] += items;
          throw error;
        }
      },
    { step: 'initialize', name: 'hdfsFanoutCountsUnits' },
  );
  s3.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        // A deletion costs nothing.
        if (/^(?:Put|Copy|List|Create|Upload|Complete)/.test(commandName)) counts.s3Puts += 1;
        else if (/^(?:Get|Head)/.test(commandName)) counts.s3Gets += 1;
        return next(args);
      },
    { step: 'initialize', name: 'hdfsFanoutCountsRequests' },
  );
}

interface Consumed {
  readonly CapacityUnits?: number;
}

function consumedIn(output: object): number | undefined {
  const { ConsumedCapacity: told } = output as { ConsumedCapacity?: Consumed | readonly Consumed[] };
  if (told === undefined) return undefined;
  const units = [told].flat().map(({ CapacityUnits }: Consumed) => CapacityUnits);
  return units.every((unit) => unit !== undefined) ? units.reduce((sum, unit) => sum + unit, 0) : undefined;
}
