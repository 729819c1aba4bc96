import { z } from 'zod';
import { copyStep } from '../shared/aws/copy-step.ts';
import { step } from './step.ts';
import { limits, servicesFor } from './wiring.ts';
import { batchOf, type StoredBatch } from '../shared/job/unit.ts';

const request = z.object({
  job: z.string(),
  // A batch is a line of the manifest, which a planner of this version or an earlier one wrote: its fields are not checked again.
  batch: z
    .custom<StoredBatch>((value) => typeof value === 'object' && value !== null && 'units' in value)
    .transform(batchOf),
  progress: z.object({ left: z.number(), cut: z.array(z.number()) }).optional(),
});

/** Copies one batch. */
export const handler = step(request, ({ job, batch, progress }, context, deadline) => {
  const { transfers } = limits();
  const asked = { job, batch, ...(progress ? { progress } : {}) };
  return copyStep(asked, servicesFor(context), transfers, `${context.awsRequestId}.${Date.now()}`, deadline);
});
