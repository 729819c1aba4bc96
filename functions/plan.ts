import { z } from 'zod';
import { planStep } from '../shared/aws/plan-step.ts';
import { step } from './step.ts';
import { limits, servicesFor } from './wiring.ts';

const request = z.object({ execution: z.string(), startTime: z.string(), input: z.unknown() });

/** Writes the manifest of a job. */
export const handler = step(request, (event, context, deadline) =>
  planStep(event, servicesFor(context), limits(), deadline, new AbortController().signal),
);
