import { randomUUID } from 'node:crypto';
import { copyStep } from '../../shared/aws/copy-step.ts';
import { type PlanAnswer, planStep } from '../../shared/aws/plan-step.ts';
import type { Left } from '../../shared/copy/copier.ts';
import { Deadline } from '../../shared/deadline.ts';
import type { Batch } from '../../shared/job/unit.ts';
import { allOf, never } from '../support/files.ts';
import type { TestDeployment } from './test-deployment.ts';

/** The steps of a job, called as the state machine does. */

export const limits = { transfers: 4, copiers: 2 };
export const long = () => new Deadline(60_000);

/**
 * Plans to the end.
 * @param deadline  of each invocation
 * @param execution  of the job, in its second pass
 */
export async function planAll(
  deployment: TestDeployment,
  input: unknown,
  deadline = long,
  execution = deployment.executionOf(`job-${randomUUID()}`),
): Promise<PlanAnswer & { invocations: number; execution: string }> {
  deployment.running.add(execution);
  for (let invocations = 1; ; invocations++) {
    const request = { execution, startTime: new Date().toISOString(), input };
    const answer = await planStep(request, deployment.services(), limits, deadline(), never);
    if (answer.done) return { ...answer, invocations, execution };
  }
}

/** Copies a batch to its end. @param lastsMs  of each invocation */
export async function copyAll(deployment: TestDeployment, job: string, batch: Batch, lastsMs: number): Promise<Left[]> {
  const answers: Left[] = [];
  for (;;) {
    const progress = answers.at(-1);
    const request = { job, batch, ...(progress ? { progress } : {}) };
    const services = deployment.services(lastsMs + 1000);
    answers.push(await copyStep(request, services, limits.transfers, randomUUID(), new Deadline(lastsMs)));
    if (answers.at(-1)?.left === 0) return answers;
    if (answers.length > 50) throw new Error(`it does not come to an end: ${JSON.stringify(answers)}`);
  }
}

export const batchesOf = (deployment: TestDeployment, job: string): Promise<Batch[]> =>
  allOf(deployment.services().manifests.read(job));
