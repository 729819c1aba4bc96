// What a job costs in us-east-1, November 2026: prices from AWS's pages, work from this project's own constants and figures.

const prices = {
  /** arm64, a GB-second. */
  lambda: 0.0000133334,
  request: 0.0000002,
  /** Standard, a transition. */
  transition: 0.000025,
  /** On demand. */
  write: 0.000000625,
  read: 0.000000125,
  /** DataSync, a GB and hop; from HDFS to HDFS it takes two. */
  dataSync: 0.0125,
};
const GB_OF_COPIER = 1769 / 1024;
/** Of one copier with one processor. Assumptions: AWS's network was not measured here. */
const megabytesPerSecond = 50;
const smallFilesPerSecond = 100;
/** See shared/plan/packer.ts: what a file costs besides its bytes, and the most that a batch costs. */
const FILE_MIB = 2;
const BATCH_MIB = 2048;
const UNITS = 1000;
/** Input, CopyBatch, Left?, end. */
const TRANSITIONS = 4;
/** Two checks of the owner, each a consistent read. */
const READS_PER_FILE = 2;
/** A transaction of two items counts twice. */
const WRITES_PER_RECORD = 4;
const RECORD_EVERY_SECONDS = 2;

interface Job {
  readonly what: string;
  readonly files: number;
  readonly fileMb: number;
}

const costOf = ({ files, fileMb }: Job) => {
  const seconds = Math.max((files * fileMb) / megabytesPerSecond, files / smallFilesPerSecond);
  const perBatch = Math.min(UNITS, Math.floor(BATCH_MIB / (fileMb / 1.048576 + FILE_MIB)) || 1);
  const batches = Math.ceil(files / perBatch);
  return {
    lambda: seconds * GB_OF_COPIER * prices.lambda + batches * prices.request,
    stepFunctions: batches * TRANSITIONS * prices.transition,
    dynamo:
      files * READS_PER_FILE * prices.read +
      (seconds / RECORD_EVERY_SECONDS + batches) * WRITES_PER_RECORD * prices.write,
    dataSync: ((files * fileMb) / 1000) * prices.dataSync * 2,
  };
};

const jobs: readonly Job[] = [
  { what: '1 TB in files of 512 MB', files: 1953, fileMb: 512 },
  { what: '1 TB in files of 100 MB', files: 10_000, fileMb: 100 },
  { what: '1 TB in files of 2 MB', files: 500_000, fileMb: 2 },
  { what: 'a million files of 64 KB (0.064 TB)', files: 1_000_000, fileMb: 0.064 },
];

/** A table in Markdown. */
export const costs = (): string => {
  const dollars = (value: number): string => `$${value.toFixed(2)}`;
  const rows = jobs.map((job) => {
    const { lambda, stepFunctions, dynamo, dataSync } = costOf(job);
    const cells = [lambda, stepFunctions, dynamo, lambda + stepFunctions + dynamo, dataSync].map(dollars);
    return `| ${job.what} | ${cells.join(' | ')} |`;
  });
  return [
    '| | Lambda | Step Functions | DynamoDB | fan-out | DataSync, two hops |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `A model: copiers of 1,769 MB (arm64) at ${megabytesPerSecond} MB/s or ${smallFilesPerSecond} files/s, whichever is slower (assumed),`,
    'prices of us-east-1. The network is not in it and costs more than all of this: docs/scale.md.',
  ].join('\n');
};
