import type { Context } from 'aws-lambda';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { RefusedError } from '../../../shared/errors.ts';
import { environment } from '../../../shared/names.ts';

for (const name of Object.values(environment)) vi.stubEnv(name, '1');
vi.stubEnv('POWERTOOLS_DEV', 'true');
vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
vi.stubEnv('AWS_REGION', 'us-east-1');
const { step } = await import('../../../functions/step.ts');

const context = (remainingMs: number) =>
  ({ awsRequestId: 'request', functionName: 'f', getRemainingTimeInMillis: () => remainingMs }) as unknown as Context;

it('refuses an event of another shape, and names the field', async () => {
  const handler = step(z.object({ job: z.string() }), () => Promise.resolve('done'));
  await expect(handler({ job: 7 }, context(60_000))).rejects.toMatchObject({
    name: 'SpecError',
    message: expect.stringContaining('job:') as string,
  });
  expect(await handler({ job: 'one' }, context(60_000))).toBe('done');
});

it.each([
  ['an error of ours keeps its name', () => new RefusedError('no match'), 'RefusedError', 'no match'],
  [
    'one of the SDK is a service’s',
    () => Object.assign(new Error('slow down'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } }),
    'ServiceError',
    'ThrottlingException: slow down',
  ],
  ['a bug keeps its own', () => new TypeError('x is not a function'), 'TypeError', 'x is not a function'],
])('%s', async (_what, make, name, message) => {
  const handler = step(z.unknown(), () => Promise.reject(make()));
  await expect(handler({}, context(60_000))).rejects.toMatchObject({ name, message });
});

it.each([
  [900_000, 880_000],
  [10_000, 7500],
])('keeps some of %i ms for what comes after the deadline', async (remainingMs, lastsMs) => {
  vi.useFakeTimers();
  const reached = vi.fn();
  const handler = step(z.unknown(), (_event, _context, deadline) => {
    const stop = new AbortController();
    stop.signal.addEventListener('abort', reached);
    deadline.arm(stop);
    return Promise.resolve();
  });
  await handler({}, context(remainingMs));
  await vi.advanceTimersByTimeAsync(lastsMs - 100);
  expect(reached).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(reached).toHaveBeenCalledOnce();
  vi.useRealTimers();
});
