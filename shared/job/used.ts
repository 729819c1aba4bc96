import { usEast1 } from '../cost/prices.ts';
import { billOf, type Usage } from '../cost/usage.ts';
import type { Counters } from './outcome.ts';

/** What Lambdas have used of AWS for a job, as counters of it. Whole numbers: GB-seconds are counted as GB-milliseconds. */
export const usageCounters = {
  invocations: 'usage.invocations',
  gbMs: { arm64: 'usage.gbMs.arm64', x64: 'usage.gbMs.x64' },
  transitions: 'usage.transitions',
  dynamoReads: 'usage.dynamoReads',
  dynamoWrites: 'usage.dynamoWrites',
  s3Puts: 'usage.s3Puts',
  s3Gets: 'usage.s3Gets',
} as const;

/** US dollars, computed from what was used, as the Job Status tells them. */
export interface UsedCost {
  readonly Dollars: number;
  readonly Lambda: number;
  readonly 'Step Functions': number;
  readonly DynamoDB: number;
  readonly S3: number;
  /** Whose prices these are. */
  readonly Prices: string;
}

/** @returns undefined of a job that no Lambda has worked on */
export function usedCost(counters: Counters): UsedCost | undefined {
  const { gbMs, ...names } = usageCounters;
  const count = (name: string) => counters.get(name) ?? 0;
  if (count(names.invocations) === 0) return undefined;
  const usage: Usage = {
    invocations: count(names.invocations),
    gbSeconds: { arm64: count(gbMs.arm64) / 1000, x64: count(gbMs.x64) / 1000 },
    transitions: count(names.transitions),
    dynamoReads: count(names.dynamoReads),
    dynamoWrites: count(names.dynamoWrites),
    s3Puts: count(names.s3Puts),
    s3Gets: count(names.s3Gets),
  };
  const { lambda, stepFunctions, dynamo, s3, total } = billOf(usage, usEast1);
  return {
    Dollars: rounded(total),
    Lambda: rounded(lambda),
    'Step Functions': rounded(stepFunctions),
    DynamoDB: rounded(dynamo),
    S3: rounded(s3),
    Prices: `${usEast1.region}, ${usEast1.asOf}`,
  };
}

function rounded(dollars: number): number {
  return Math.round(dollars * 1e6) / 1e6;
}
