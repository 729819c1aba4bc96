import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { finishStep } from '../../shared/aws/finish-step.ts';
import { secondManifestOf } from '../../shared/aws/second-manifest.ts';
import type { Deadline } from '../../shared/deadline.ts';
import { never } from '../support/files.ts';
import { type End, MirrorRounds } from '../support/mirror-rounds.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { copyAll, long, planAll } from './step-calls.ts';
import { clientsOf } from './support.ts';
import { newTestDeployment } from './test-deployment.ts';

const bed = inject('bed');
const rounds = Number(process.env['ROUNDS'] ?? 3);
const seed = Number(process.env['SEED'] ?? 4);
const MINUTE = 60_000;

/** Time for one step. */
const short = () => Object.assign(long(), { isNear: () => true });

test.each([
  { how: 'by a walk of both trees', snapshot: false },
  { how: 'by snapshots', snapshot: true },
])(
  `${rounds} rounds of random changes (seed ${seed}) are mirrored $how by the fan-out's steps, each over many invocations`,
  async ({ how, snapshot }) => {
    const pair = await TwoClusters.make(bed, `aws-rounds ${how}`);
    const source: End = { hdfs: pair.a, root: `${pair.root}/top/source` };
    const mirror: End = { hdfs: pair.b, root: `${pair.root}/mirror` };
    const tree = new MirrorRounds(seed, source);
    const deployment = await newTestDeployment(clientsOf(inject('aws')), { A: { url: bed.a }, B: { url: bed.b } });
    const attributes = 'owner group permission times replication blocksize acl xattr'.split(' ');
    const options = { mapping: 'exact', existing: 'update', attributes, delete: true, maxDelete: '100%', snapshot };
    const input = { source: `A:${source.root}`, destination: `B:${mirror.root}`, options };

    /**
     * @param deadline  of each invocation that plans or finishes
     * @param isNarrow  whether a job looks only at what has changed, where there are snapshots
     */
    const run = async (deadline: () => Deadline, isNarrow: boolean): Promise<JobStatus> => {
      const { job, execution } = await planAll(deployment, input, deadline);
      const { manifests } = deployment.services();
      const copy = async (manifest: string) => {
        for await (const batch of manifests.read(manifest)) await copyAll(deployment, job, batch, 30_000);
      };
      await copy(job);
      for (let calls = 1; ; calls++) {
        const { done, outcome, status, cause } = await finishStep(
          job,
          deployment.services(),
          randomUUID(),
          deadline(),
          never,
        );
        if (outcome === 'SecondPass') {
          await planAll(deployment, input, deadline, execution);
          await copy(secondManifestOf(job));
        }
        if (done && status) {
          expect(outcome, cause).toBe('Successful');
          expect(status['Snapshot Base'] !== undefined, status['Whole Walk']).toBe(isNarrow && snapshot);
          return status;
        }
        if (calls > 500) throw new Error('it does not come to an end');
      }
    };

    await tree.begin();
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', `${pair.root}/top`);
    for (let round = 0; round < rounds; round++) {
      tree.note(`round ${round}`);
      if (round > 0) await tree.mutate();
      await tree.mirror(mirror, () => run(round % 2 === 0 ? long : short, round > 0));
      await tree.mirrorAgain(mirror, () => run(long, true));
    }
  },
  rounds * 5 * MINUTE,
);
