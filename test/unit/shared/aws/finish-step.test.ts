import { expect, it } from 'vitest';
import { finishStep } from '../../../../shared/aws/finish-step.ts';
import { LineWriter } from '../../../../shared/aws/s3-file-lines.ts';
import type { Services } from '../../../../shared/aws/services.ts';
import { Deadline } from '../../../../shared/deadline.ts';
import { clusterSchema } from '../../../../shared/hdfs/cluster.ts';
import type { JobStore } from '../../../../shared/job/job-store.ts';
import { silentLog } from '../../../../shared/log.ts';
import { never } from '../../../support/files.ts';
import { GeneratedJob } from '../../../support/generated-job.ts';

it('asks again for a second pass that is not planned, with a cause for an execution that knows of none', async () => {
  const generated = new GeneratedJob(1, 8, false);
  const job = { ...generated.job, phase: 'planning', pass: 2, typeChanges: { names: 1, batches: 1 } } as const;
  // Nothing is written, and no cluster is asked.
  const store = { get: () => Promise.resolve(job) } as unknown as JobStore;
  const nameservices = [{ urls: ['http://127.0.0.1:1'], mounts: ['/'] }];
  const definition = clusterSchema.parse({ name: 'c', user: 'root', nameservices });
  const services = {
    store,
    manifests: generated.manifests,
    typeChanges: { refill: () => Promise.resolve() },
    tokens: { kept: () => Promise.resolve([]) },
    lines: { writer: () => new LineWriter(() => Promise.reject(new Error('a line is written')), silentLog) },
    secrets: { definition: () => Promise.resolve(definition) },
    log: silentLog,
  } as unknown as Services;
  const answer = await finishStep(job.id, services, 'again', new Deadline(600_000), never);
  expect(answer).toEqual({ done: true, outcome: 'SecondPass', cause: 'type changes wait: retry the job' });
});
