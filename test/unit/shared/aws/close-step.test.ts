import { expect, it } from 'vitest';
import { closeStep } from '../../../../shared/aws/close-step.ts';
import { DynamoJobStore } from '../../../../shared/aws/dynamo-job-store.ts';
import type { Services } from '../../../../shared/aws/services.ts';
import { Deadline } from '../../../../shared/deadline.ts';
import { clusterSchema } from '../../../../shared/hdfs/cluster.ts';
import { silentLog } from '../../../../shared/log.ts';
import { never } from '../../../support/files.ts';
import { GeneratedJob } from '../../../support/generated-job.ts';
import { GeneratedTable } from '../../../support/generated-table.ts';
import { ScriptedServer } from '../../../support/scripted-server.ts';

it.each([
  ['Successful', 'Successful'],
  [undefined, 'Failed'],
] as const)('a job that had ended as %s when its execution was stopped is %s', async (outcome, expected) => {
  await using namenode = await ScriptedServer.start([{ json: { boolean: false } }]);
  const nameservices = [{ urls: [namenode.url], mounts: ['/'] }];
  const definition = clusterSchema.parse({ name: 'c', user: 'root', nameservices });
  const generated = new GeneratedJob(3, 8, false);
  const { id } = generated.job;
  const store = new DynamoJobStore(new GeneratedTable(generated).client, 'table', { retentionDays: 7 });
  if (outcome) await store.update(id, { phase: 'done', outcome, endedAtMs: 5 });
  const nothing = () => Promise.resolve();
  const services = {
    store,
    manifests: generated.manifests,
    active: { drivenBy: () => Promise.resolve({ job: id }), remove: nothing },
    lock: { release: nothing },
    tokens: { kept: () => Promise.resolve([]), given: nothing, forget: nothing },
    secrets: { definition: () => Promise.resolve(definition) },
    log: silentLog,
  } as unknown as Services;
  const request = { execution: 'one', reason: 'stopped' };
  const answer = await closeStep(request, services, new Deadline(600_000), never);
  expect(answer).toMatchObject({ closed: true, status: { Outcome: expected } });
  expect((await store.get(id))?.outcome).toBe(expected);
});
