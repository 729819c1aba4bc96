import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import { Deadline } from '../shared/deadline.ts';
import { FanoutError, messageOf, SpecError } from '../shared/errors.ts';
import { issuesOf } from '../shared/issues.ts';
import { errorNames } from '../shared/names.ts';
import { logger, metrics } from './wiring.ts';

/** What a Lambda keeps of its time for after its deadline: to record outcomes, delete temporary files and answer. */
const RESERVE_MS = 20_000;
/** The largest share of its time that a short-lived Lambda keeps for that. */
const RESERVE_SHARE = 0.25;

/** A service of AWS did not answer in spite of the SDK's own retries: the state machine tries the step again later. */
class ServiceError extends Error {
  override readonly name = errorNames.service;
}

/** What every Lambda does around its step: checks what it is given, logs, sends metrics, and names its errors for the state machine. */
export function step<Schema extends z.ZodType, Answer>(
  schema: Schema,
  run: (request: z.output<Schema>, context: Context, deadline: Deadline) => Promise<Answer>,
) {
  return middy()
    .before(({ event, context }) => {
      logger.addContext(context);
      const parsed = schema.safeParse(event);
      if (!parsed.success) throw new SpecError(`the event is wrong: ${issuesOf(parsed.error)}`);
    })
    .after(() => publish())
    .onError(({ error }) => {
      publish();
      logger.error(messageOf(error), { name: error?.name });
      throw named(error);
    })
    .handler((event: unknown, context: Context) => {
      const remainingMs = context.getRemainingTimeInMillis();
      const deadline = new Deadline(remainingMs - Math.min(RESERVE_MS, remainingMs * RESERVE_SHARE));
      return run(schema.parse(event), context, deadline);
    });
}

/** Sends the metrics that were added. Returns nothing, since what a middleware returns replaces the Lambda's answer. */
function publish(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

/** The error by whose `name` the state machine decides: one of the AWS SDK, which has metadata, becomes a ServiceError. */
function named(error: unknown): unknown {
  if (error instanceof FanoutError || !(error instanceof Error)) return error;
  return '$metadata' in error ? new ServiceError(`${error.name}: ${messageOf(error)}`, { cause: error }) : error;
}
