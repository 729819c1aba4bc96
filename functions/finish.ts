import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { z } from 'zod';
import { finishStep } from '../shared/aws/finish-step.ts';
import { noteUsage } from '../shared/aws/meter.ts';
import { metrics as names } from '../shared/names.ts';
import { step } from './step.ts';
import { metrics, servicesFor } from './wiring.ts';

/** Ends a job whose batches were all copied, and sends its counts as metrics. */
export const handler = step(z.object({ job: z.string() }), async ({ job }, context, deadline) => {
  const services = servicesFor(context);
  const answer = await finishStep(job, services, context.awsRequestId, deadline, new AbortController().signal);
  const { status } = answer;
  // The end of a job notes it before its status is made.
  if (!status) await noteUsage(services, job);
  if (status) {
    metrics.addMetric(answer.outcome === 'Successful' ? names.jobsSuccessful : names.jobsFailed, MetricUnit.Count, 1);
    metrics.addMetric(names.filesFailed, MetricUnit.Count, status['Files Failed']);
    metrics.addMetric(names.filesCopied, MetricUnit.Count, status['Files Copied']);
    metrics.addMetric(names.bytesCopied, MetricUnit.Bytes, status['Size Copied']);
  }
  return answer;
});
