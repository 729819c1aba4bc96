import type { Context } from 'aws-lambda';
import { expect, it, vi } from 'vitest';
import { environment } from '../../../shared/names.ts';

for (const name of Object.values(environment)) vi.stubEnv(name, '1');
vi.stubEnv('POWERTOOLS_DEV', 'true');
vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
vi.stubEnv('AWS_REGION', 'us-east-1');
vi.stubEnv(environment.clusters, '{}');
const copyStep = vi.hoisted(() => vi.fn(() => Promise.resolve({ left: 0, cut: [] })));
vi.mock('../../../shared/aws/copy-step.ts', () => ({ copyStep }));
const { handler } = await import('../../../functions/copy.ts');

const context = { awsRequestId: 'r', functionName: 'f', getRemainingTimeInMillis: () => 60_000 } as unknown as Context;
const about = { root: 0, path: 'd/file', lengthBytes: 1, modifiedAtMs: 0, blockBytes: 1, decision: 'copy' };
const stripe = { cellBytes: 1024, dataUnits: 3 };

it.each([
  ['this version', { kind: 'file', ...about, flatName: 'file', newStripe: stripe }],
  ['the first version', { ...about, to: 'file', into: stripe }],
])('copies the files of a manifest that %s wrote', async (_, unit) => {
  await handler({ job: 'one', batch: { batch: 4, units: [unit] } }, context);
  expect(copyStep).toHaveBeenLastCalledWith(
    { job: 'one', batch: { batch: 4, units: [{ kind: 'file', ...about, flatName: 'file', newStripe: stripe }] } },
    expect.anything(),
    expect.anything(),
    expect.anything(),
    expect.anything(),
  );
});
