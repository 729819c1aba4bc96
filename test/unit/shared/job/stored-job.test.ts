import { expect, it } from 'vitest';
import type { Job } from '../../../../shared/job/job.ts';
import { storedJob } from '../../../../shared/job/job.ts';
import { withOptions } from '../../../../shared/job/spec.ts';
import { newJob } from '../../../support/outcomes.ts';

/** As a version stored it that knew two switches in place of `existing`. */
function storedWith(force: boolean, checksum: boolean): Job {
  const job = newJob();
  const { existing: _, ...options } = job.spec.options;
  return { ...job, spec: { ...job.spec, options: { force, checksum, ...options } } } as unknown as Job;
}

it.each([
  [false, true, 'fail'],
  [false, false, 'fail'],
  [true, true, 'update'],
  [true, false, 'overwrite'],
] as const)('a job stored with force: %s and checksum: %s reads as existing: %s', (force, checksum, existing) => {
  const { spec } = storedJob(storedWith(force, checksum));
  const now = newJob().spec;
  expect(spec).toEqual({ ...now, options: { ...now.options, existing } });
  expect(withOptions(spec, { force: true }).options.existing).toBe(existing === 'fail' ? 'update' : existing);
});

it('a job that was stored before there were limits has none', () => {
  const job = newJob();
  const { bandwidth: _, namenodeOps: __, stallTimeout: ___, minRate: ____, ...options } = job.spec.options;
  expect(storedJob({ ...job, spec: { ...job.spec, options } } as unknown as Job)).toEqual(job);
});

it('a job is read as it was stored', () => {
  const job = newJob({ outcome: 'Failed', error: 'why' });
  expect(storedJob(job)).toEqual(job);
});

it('a job that was stored before there were chunks splits no file', () => {
  const job = newJob();
  const { splitAbove: _, chunkSize: __, ...options } = job.spec.options;
  const { spec } = storedJob({ ...job, spec: { ...job.spec, options } } as unknown as Job);
  expect(spec.options).toMatchObject({ splitAbove: 0, chunkSize: 2 ** 30 });
});
