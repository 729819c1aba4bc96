import { costOf } from '../shared/cost/forecast.ts';
import { usEast1 } from '../shared/cost/prices.ts';
import { assumed, assumedRates, workOfMean } from '../shared/cost/work.ts';
import { costOf as costOfUnit, Packer, plannedFirst } from '../shared/plan/packer.ts';

/** DataSync, a GB and hop; from HDFS to HDFS it takes two. */
const DATA_SYNC = 0.0125;
const HOPS = 2;
/** As a deployment has them unless it says otherwise. */
const COPIERS = { copiers: 20, transfers: 10 };

interface Job {
  readonly what: string;
  readonly files: number;
  readonly fileMb: number;
}

const jobs: readonly Job[] = [
  { what: '1 TB in files of 512 MB', files: 1953, fileMb: 512 },
  { what: '1 TB in files of 100 MB', files: 10_000, fileMb: 100 },
  { what: '1 TB in files of 2 MB', files: 500_000, fileMb: 2 },
  { what: 'a million files of 64 KB (0.064 TB)', files: 1_000_000, fileMb: 0.064 },
];

/** How many batches a plan makes of so many files of one length. */
function batchesOf(files: number, lengthBytes: number): number {
  const packer = new Packer(plannedFirst(COPIERS.copiers), costOfUnit);
  for (let file = 0; file < files; file++) {
    packer.add({
      kind: 'file',
      root: 0,
      path: `dt=2026-11-01/part-${file}.parquet`,
      lengthBytes,
      modifiedAtMs: 1_790_000_000_000,
      blockBytes: 134_217_728,
      decision: 'copy',
    });
  }
  packer.flush();
  return packer.state.next;
}

/** What jobs cost by the model that `hdfs-fanout estimate` and the Job Status use, as a table in Markdown. */
export const costs = (): string => {
  const dollars = (value: number): string => `$${value.toFixed(2)}`;
  const rates = assumedRates(COPIERS.transfers);
  const rows = jobs.map(({ what, files, fileMb }) => {
    const bytes = files * fileMb * 1e6;
    const task = {
      work: workOfMean(files, bytes),
      batches: batchesOf(files, fileMb * 1e6),
      longestBytes: fileMb * 1e6,
    };
    const { lambda, stepFunctions, dynamo, s3, total } = costOf(task, { copiers: COPIERS.copiers, rates }, usEast1);
    const dataSync = (bytes / 1e9) * DATA_SYNC * HOPS;
    return `| ${what} | ${[lambda, stepFunctions, dynamo, s3, total, dataSync].map(dollars).join(' | ')} |`;
  });
  return [
    '| | Lambda | Step Functions | DynamoDB | S3 | fan-out | DataSync, two hops |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `A model (shared/cost): copiers of 1,769 MB (arm64) at ${assumed.bytesPerSecond / 1e6} MB/s or ${assumed.filesPerSecond} files/s, whichever is slower (assumed),`,
    `prices of ${usEast1.region}, ${usEast1.asOf}. The network is not in it and costs more than all of this: docs/scale.md.`,
  ].join('\n');
};
