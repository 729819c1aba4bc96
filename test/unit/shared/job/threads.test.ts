import { expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { threadsOf } from '../../../../shared/job/threads.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';

const disk = new LocalDisk(65_536);
const fixed = (number: number) => ({ first: number, most: number, isAuto: false });
const auto = (first: number, most: number) => ({ first, most, isAuto: true });

it.each([
  [0, undefined, undefined, fixed(10)],
  [0, 40, undefined, fixed(40)],
  [0, 40, 6, fixed(6)],
  [25, undefined, undefined, fixed(25)],
  [25, undefined, 6, fixed(6)],
  ['auto', undefined, undefined, auto(10, 256)],
  ['auto', 40, 60, auto(10, 40)],
  ['auto', 4, undefined, auto(4, 4)],
  ['auto', 1000, 1000, auto(10, 256)],
] as const)('threads %s where the clusters allow %s and %s', (threads, source, destination, expected) => {
  const spec = parseJobSpec({ source: 'a:/x', destination: 'b:/y', options: { threads } });
  const job = newJob('job', spec, [], 0);
  const allowing = (maxConcurrency: number | undefined) => decorated(disk, { maxConcurrency });
  expect(threadsOf(job, allowing(source), allowing(destination), 10, 256)).toEqual(expected);
});
