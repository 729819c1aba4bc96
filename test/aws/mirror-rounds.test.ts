import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { finishStep } from '../../shared/aws/finish-step.ts';
import type { Deadline } from '../../shared/deadline.ts';
import { never } from '../support/files.ts';
import { type End, MirrorRounds } from '../support/mirror-rounds.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { batchesOf, copyAll, long, planAll } from './step-calls.ts';
import { clientsOf } from './support.ts';
import { newTestDeployment } from './test-deployment.ts';

const bed = inject('bed');
const rounds = Number(process.env['ROUNDS'] ?? 4);
const seed = Number(process.env['SEED'] ?? 4);
const MINUTE = 60_000;

/** Time for one step. */
const short = () => Object.assign(long(), { isNear: () => true });

test(
  `${rounds} rounds of random changes (seed ${seed}) are mirrored by the fan-out's steps, each over many invocations`,
  async () => {
    const pair = await TwoClusters.make(bed, 'aws-rounds');
    const source: End = { hdfs: pair.a, root: `${pair.root}/source` };
    const mirror: End = { hdfs: pair.b, root: `${pair.root}/mirror` };
    const tree = new MirrorRounds(seed, source, mirror);
    const deployment = await newTestDeployment(clientsOf(inject('aws')), { A: { url: bed.a }, B: { url: bed.b } });
    const attributes = 'owner group permission times replication blocksize acl xattr'.split(' ');
    const options = { mapping: 'exact', existing: 'update', attributes, delete: true, maxDelete: '100%' };
    const input = { source: `A:${source.root}`, destination: `B:${mirror.root}`, options };

    /** @param deadline  of each invocation that plans or finishes */
    const run = async (deadline: () => Deadline): Promise<JobStatus> => {
      const { job } = await planAll(deployment, input, deadline);
      for (const batch of await batchesOf(deployment, job)) await copyAll(deployment, job, batch, 30_000);
      for (let calls = 1; ; calls++) {
        const { done, outcome, status, cause } = await finishStep(
          job,
          deployment.services(),
          randomUUID(),
          deadline(),
          never,
        );
        if (done && status) {
          expect(outcome, cause).toBe('Successful');
          return status;
        }
        if (calls > 500) throw new Error('it does not come to an end');
      }
    };

    await tree.begin();
    for (let round = 0; round < rounds; round++) {
      tree.note(`round ${round}`);
      if (round > 0) await tree.mutate();
      await tree.mirror(mirror, () => run(round % 2 === 0 ? long : short));
      await tree.mirrorAgain(mirror, () => run(long));
    }
  },
  rounds * 3 * MINUTE,
);
