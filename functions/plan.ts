import { z } from 'zod';
import { noteUsage } from '../shared/aws/meter.ts';
import { planStep } from '../shared/aws/plan-step.ts';
import { step } from './step.ts';
import { limits, servicesFor } from './wiring.ts';

const request = z.object({ execution: z.string(), startTime: z.string(), input: z.unknown() });

/** Writes the manifest of a job. */
export const handler = step(request, async (event, context, deadline) => {
  const services = servicesFor(context);
  const answer = await planStep(event, services, limits(), deadline, new AbortController().signal);
  await noteUsage(services, answer.job, { batches: answer.done ? answer.batches : 0 });
  return answer;
});
