import { setTimeout as sleep } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

/** How DynamoDB says of a request, and of an item in a transaction, that it takes no more for now. */
const errorNames = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'];
const cancellationCodes = ['ProvisionedThroughputExceeded', 'ThrottlingError'];

/**
 * Sends a request again, ever later, for as long as DynamoDB takes no more: the SDK gives up after three tries, and a partition that was idle
 * takes minutes to be split.
 *
 * @throws what the request throws otherwise
 */
export async function onceTaken<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await request();
    } catch (error) {
      if (!isThrottled(error)) throw error;
    }
    await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal });
  }
}

/** Of a transaction: only when no condition has refused it. */
function isThrottled(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException))
    return error instanceof Error && errorNames.includes(error.name);
  const codes = (error.CancellationReasons ?? []).flatMap(({ Code }) =>
    Code === undefined || Code === 'None' ? [] : [Code],
  );
  return codes.length > 0 && codes.every((code) => cancellationCodes.includes(code));
}
