import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { z } from 'zod';
import { Logins } from '../shared/aws/logins.ts';
import { renewStep } from '../shared/aws/renew-step.ts';
import { metrics as names } from '../shared/names.ts';
import { step } from './step.ts';
import { metrics, renewPeriodMs, servicesFor } from './wiring.ts';

/** Keeps the delegation tokens of jobs at work alive. Called on a schedule. */
export const handler = step(z.unknown(), async (_event, context, deadline) => {
  const services = servicesFor(context);
  const late = new AbortController();
  const disarm = deadline.arm(late);
  await using logins = new Logins(services);
  try {
    const renewed = await renewStep(services, (cluster) => logins.tokenClient(cluster), renewPeriodMs(), late.signal);
    metrics.addMetric(names.tokenRenewalsFailed, MetricUnit.Count, renewed.failed);
    return renewed;
  } finally {
    disarm();
  }
});
