import { z } from 'zod';
import { copyStep } from '../shared/aws/copy-step.ts';
import { noteUsage } from '../shared/aws/meter.ts';
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
export const handler = step(request, async ({ job, batch, progress }, context, deadline) => {
  const { transfers } = limits();
  const services = servicesFor(context);
  const asked = { job, batch, ...(progress ? { progress } : {}) };
  try {
    return await copyStep(asked, services, transfers, `${context.awsRequestId}.${Date.now()}`, deadline);
  } finally {
    await noteUsage(services, job, { shard: batch.batch });
  }
});
