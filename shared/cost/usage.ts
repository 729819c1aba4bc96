import type { Prices } from './prices.ts';

/** What a job uses of AWS's services. Sums of it are of one job, whichever Lambda used it. */
export interface Usage {
  readonly invocations: number;
  /** Memory of a Lambda times how long it ran, by its architecture. */
  readonly gbSeconds: { readonly arm64: number; readonly x64: number };
  readonly transitions: number;
  /** Request units. */
  readonly dynamoReads: number;
  readonly dynamoWrites: number;
  readonly s3Puts: number;
  readonly s3Gets: number;
}

/** US dollars, by service. */
export interface Bill {
  readonly lambda: number;
  readonly stepFunctions: number;
  readonly dynamo: number;
  readonly s3: number;
  readonly total: number;
}

/** What is on the bill for a usage, at prices on demand. */
export function billOf(usage: Usage, prices: Prices): Bill {
  const { arm64, x64 } = usage.gbSeconds;
  const { lambdaGbSecond } = prices;
  const lambda = arm64 * lambdaGbSecond.arm64 + x64 * lambdaGbSecond.x64 + usage.invocations * prices.lambdaRequest;
  const stepFunctions = usage.transitions * prices.stateTransition;
  const dynamo = usage.dynamoReads * prices.dynamoRead + usage.dynamoWrites * prices.dynamoWrite;
  const s3 = usage.s3Puts * prices.s3Put + usage.s3Gets * prices.s3Get;
  return { lambda, stepFunctions, dynamo, s3, total: lambda + stepFunctions + dynamo + s3 };
}
