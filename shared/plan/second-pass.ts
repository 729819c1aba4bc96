import type { Job } from '../job/job.ts';
import { emptyPacker } from './packer.ts';
import type { Expected, PlanCursor } from './planning.ts';

/** Where the plan of a job's second pass begins: no batch and no split file gets a number that the first pass has given. */
export function secondPassOf({ typeChanges, split = {} }: Job): PlanCursor {
  return {
    root: 0,
    walk: undefined,
    names: 0,
    splitting: { next: totalOf(split), split: {}, notSplit: {} },
    tally: {},
    packer: emptyPacker(typeChanges?.batches ?? 0),
    files: 0,
    bytes: 0,
  };
}

/** What a job expects once its second pass is planned as well. The job still knows what it expected of the first one alone. */
export function ofBothPasses(job: Job, { files, bytes, split, notSplit, planned }: Expected) {
  return {
    expectedFiles: job.expectedFiles + files,
    expectedBytes: job.expectedBytes + bytes,
    split: sum(job.split, split),
    notSplit: sum(job.notSplit, notSplit),
    planned: sum(job.planned, planned),
    ...(job.typeChanges ? { typeChanges: { ...job.typeChanges, isPlanned: true as const } } : {}),
  } as const satisfies Partial<Job>;
}

type Counts = Readonly<Record<string, number>>;

function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function sum(first: Counts = {}, second: Counts): Counts {
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  return Object.fromEntries([...names].map((name) => [name, (first[name] ?? 0) + (second[name] ?? 0)]));
}
