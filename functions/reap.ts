import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { z } from 'zod';
import { reapStep } from '../shared/aws/reap-step.ts';
import { metrics as names } from '../shared/names.ts';
import { step } from './step.ts';
import { closer, metrics, servicesFor } from './wiring.ts';

const lambda = new LambdaClient();

/** Hands jobs whose execution has ended to the close Lambda, every five minutes: the event that should have done it may be lost. */
export const handler = step(z.unknown(), async (_event, context) => {
  const { oldestSeconds, ended } = await reapStep(servicesFor(context), async ({ execution, reason }) => {
    const Payload = JSON.stringify({ execution, error: { Error: reason } });
    await lambda.send(new InvokeCommand({ FunctionName: closer(), InvocationType: 'Event', Payload }));
  });
  metrics.addMetric(names.oldestActiveJobSeconds, MetricUnit.Seconds, oldestSeconds);
  return { ended };
});
