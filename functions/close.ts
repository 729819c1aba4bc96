import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { z } from 'zod';
import { messageInCause } from '../shared/aws/cause.ts';
import { closeStep, type CloseRequest } from '../shared/aws/close-step.ts';
import { metrics as names } from '../shared/names.ts';
import { step } from './step.ts';
import { metrics, servicesFor } from './wiring.ts';

/** The state machine asks with the error that it caught, EventBridge with the execution that ended badly, the reaper like the state machine. */
const request = z.union([
  z.object({ execution: z.string(), error: z.object({ Error: z.string(), Cause: z.string().optional() }) }),
  z.object({
    detail: z.object({
      executionArn: z.string(),
      status: z.string(),
      error: z.string().nullish(),
      cause: z.string().nullish(),
    }),
  }),
]);

/** Closes a job that will not come to its own end. */
export const handler = step(request, async (event, context, deadline) => {
  const asked = requestOf(event);
  const answer = await closeStep(asked, servicesFor(context), deadline, new AbortController().signal);
  if (answer.closed && answer.status) metrics.addMetric(names.jobsFailed, MetricUnit.Count, 1);
  return answer;
});

function requestOf(event: z.output<typeof request>): CloseRequest {
  if ('execution' in event) {
    const { Error: name, Cause: cause = '' } = event.error;
    return { execution: event.execution, reason: reasonOf(name, cause) };
  }
  const { executionArn, status, error, cause } = event.detail;
  const what = status === 'ABORTED' ? 'stopped' : status === 'TIMED_OUT' ? 'the execution timed out' : 'failed';
  return { execution: executionArn, reason: reasonOf(error ?? what, cause ?? '') };
}

/** What the record of a job can hold of a cause, characters. */
const LONGEST_CAUSE = 2000;

function reasonOf(name: string, cause: string): string {
  const message = messageInCause(cause);
  return message === '' ? name : `${name}: ${message.slice(0, LONGEST_CAUSE)}`;
}
