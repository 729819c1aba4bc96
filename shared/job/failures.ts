import { TooManyFailuresError } from '../errors.ts';
import type { Job } from './job.ts';

/** @throws TooManyFailuresError */
export function requireFewFailures(failed: number, { spec }: Job): void {
  const limit = spec.options.maxFailures;
  if (failed <= limit) return;
  throw new TooManyFailuresError(failed, limit, 'mend the cause, or raise --max-failures, and resume');
}
