import { costOf } from '../cost/forecast.ts';
import { usEast1 } from '../cost/prices.ts';
import { assumedRates, workOfMean } from '../cost/work.ts';

/** What a plan lets one expect of the copying, at rates that are assumed. */
export interface Estimated {
  readonly seconds: number;
  /** US dollars, of a job on AWS. */
  readonly dollars?: number;
}

/** What a plan of a job has come to. */
export interface PlannedCounts {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  readonly planned: Readonly<Record<string, number>>;
}

interface Held {
  readonly copiers: number;
  /** At once in each. */
  readonly transfers: number;
  readonly bytesPerSecond?: number | undefined;
  readonly opsPerSecond?: number | undefined;
}

/** Counts what planning has not settled: files that turn out to be equal are among it. */
export function estimatedOf(
  { files, bytes, batches, planned }: PlannedCounts,
  { copiers, transfers, bytesPerSecond, opsPerSecond }: Held,
): Required<Estimated> {
  const left = files - (planned['files.skipped'] ?? 0);
  const work = workOfMean(left, bytes - (planned['bytes.skipped'] ?? 0));
  const task = { work, batches, longestBytes: 0, bytesPerSecond, opsPerSecond };
  const { seconds, total } = costOf(task, { copiers, rates: assumedRates(transfers) }, usEast1);
  return { seconds: rounded(seconds), dollars: rounded(total) };
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
