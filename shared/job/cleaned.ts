import type { Job } from './job.ts';

const BEGINNING = 'cleaned:';

/** How a job ends whose temporary files were deleted. */
export const cleaned = {
  phase: 'done',
  outcome: 'Failed',
  error: `${BEGINNING} it cannot be resumed`,
} as const satisfies Partial<Job>;

export function isCleaned({ error }: Pick<Job, 'error'>): boolean {
  return error?.startsWith(BEGINNING) === true;
}
