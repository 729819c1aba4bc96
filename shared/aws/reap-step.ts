import { messageOf } from '../errors.ts';
import type { CloseRequest } from './close-step.ts';
import type { Services } from './services.ts';

export interface Reaped {
  /** Age of the oldest job at work, s; 0 without one. */
  readonly oldestSeconds: number;
  /** Jobs whose execution has ended without them. */
  readonly ended: readonly string[];
}

/**
 * Finds every job whose execution has ended without it, and has it closed. One that cannot be asked about does not hold up the others.
 * @param close  hands it to the closer, which reaches the cluster
 */
export async function reapStep(
  { active, executions, log }: Pick<Services, 'active' | 'executions' | 'log'>,
  close: (request: CloseRequest) => Promise<void>,
): Promise<Reaped> {
  const ended: string[] = [];
  let oldestSeconds = 0;
  for (const { job, execution, startedAtMs } of await active.list()) {
    oldestSeconds = Math.max(oldestSeconds, Math.round((Date.now() - startedAtMs) / 1000));
    try {
      if (await executions.isRunning(execution)) continue;
      const { status, error, cause } = await executions.describe(execution);
      await close({ execution, reason: `${error || status}${cause ? `: ${cause.slice(0, 500)}` : ''}` });
      ended.push(job);
    } catch (failure) {
      log.error({ job, error: messageOf(failure) }, 'the end of a job could not be handled');
    }
  }
  return { oldestSeconds, ended };
}
