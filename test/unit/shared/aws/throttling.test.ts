import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { DynamoJobStore } from '../../../../shared/aws/dynamo-job-store.ts';
import { onceTaken } from '../../../../shared/aws/throttling.ts';
import { allOf, errorOf, never } from '../../../support/files.ts';
import { GeneratedJob } from '../../../support/generated-job.ts';
import { GeneratedTable } from '../../../support/generated-table.ts';
import { failed } from '../../../support/outcomes.ts';

const named = (name: string) => Object.assign(new Error('more than it takes'), { name });
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    message: 'cancelled',
    $metadata: {},
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

describe('a request of which DynamoDB takes no more for now', () => {
  it.each([
    ['ProvisionedThroughputExceededException', named('ProvisionedThroughputExceededException')],
    ['ThrottlingException', named('ThrottlingException')],
    ['a throttled transaction', cancelled('None', 'ThrottlingError', 'ProvisionedThroughputExceeded')],
  ])('is sent again: %s', async (_, error) => {
    let sent = 0;
    const answer = await onceTaken(() => (++sent < 3 ? Promise.reject(error) : Promise.resolve('taken')), never);
    expect([answer, sent]).toEqual(['taken', 3]);
  });

  it.each([
    ['another error', named('ValidationException')],
    ['a transaction that a condition refused', cancelled('ConditionalCheckFailed', 'ThrottlingError')],
    ['a transaction that was cancelled for no reason', cancelled()],
  ])('is not sent again: %s', async (_, error) => {
    let sent = 0;
    const request = () => {
      sent += 1;
      return Promise.reject(error);
    };
    expect(await errorOf(onceTaken(request, never))).toBe(error);
    expect(sent).toBe(1);
  });

  it('is no more waited for when the time is over', async () => {
    const busy = () => Promise.reject(named('ThrottlingException'));
    expect(await errorOf(onceTaken(busy, AbortSignal.timeout(20)))).toMatchObject({ name: 'AbortError' });
  });
});

it('takes the batches of a closed job from their copiers, eight at once, though DynamoDB refuses some', async () => {
  const table = new GeneratedTable(new GeneratedJob(100, 8, false));
  let [open, peak, updates] = [0, 0, 0];
  const client = {
    send: async (command: object) => {
      peak = Math.max(peak, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      if (command.constructor.name === 'UpdateCommand' && ++updates === 20) throw named('ThrottlingException');
      return (await table.client.send(command as never)) as unknown;
    },
  } as unknown as DynamoDBDocumentClient;
  const { closing } = new DynamoJobStore(client, 'table', { retentionDays: 7 });
  await allOf(closing.revoke('generated', 0, never));
  expect(table.closed).toBe(100);
  expect(peak).toBe(8);
});

it('takes failed units back, though DynamoDB refuses a transaction for now', async () => {
  const table = new GeneratedTable(new GeneratedJob(100, 8, true));
  let refusals = 0;
  const client = {
    send: async (command: object) => {
      if (command.constructor.name === 'TransactWriteCommand' && --refusals === 0) throw cancelled('ThrottlingError');
      return (await table.client.send(command as never)) as unknown;
    },
  } as unknown as DynamoDBDocumentClient;
  const store = new DynamoJobStore(client, 'table', { retentionDays: 7 });
  await store.claim('generated', 2, 'me');
  await store.record('generated', 2, 'me', [failed(7)]);
  expect(await store.failures('generated', 10)).toHaveLength(1);
  refusals = 1;
  await store.reopenFailed('generated');
  expect(refusals).toBeLessThan(0);
  expect(await store.failures('generated', 10)).toEqual([]);
});
