import { messageOf } from '../errors.ts';
import { usageCounters } from '../job/used.ts';
import { noRequests, type RequestCounts } from './request-counts.ts';
import type { Services } from './services.ts';

/** A task and the choice behind it. */
const TRANSITIONS_OF_INVOCATION = 2;
/** Input and end of a child. */
const TRANSITIONS_OF_BATCH = 2;

/** What one invocation of a Lambda uses: its time until it is asked last, and the requests that it sends. */
export class Meter {
  readonly #counts: RequestCounts;
  readonly #gb: number;
  readonly #architecture: 'arm64' | 'x64';
  #since: number;
  #told: RequestCounts;
  #isTold = false;

  /** @param counts  of the process: other invocations may have added to them before */
  constructor(counts: RequestCounts, memoryMb: number, architecture: string) {
    this.#counts = counts;
    this.#gb = memoryMb / 1024;
    this.#architecture = architecture === 'arm64' ? 'arm64' : 'x64';
    this.#since = performance.now();
    this.#told = { ...counts };
  }

  /** What was used since this was asked last, as counters of the job. */
  take(): Map<string, number> {
    const { gbMs, invocations, transitions, ...requests } = usageCounters;
    const now = performance.now();
    const used = new Map<string, number>([[gbMs[this.#architecture], Math.round((now - this.#since) * this.#gb)]]);
    if (!this.#isTold) used.set(invocations, 1).set(transitions, TRANSITIONS_OF_INVOCATION);
    const names = Object.keys(noRequests()) as (keyof RequestCounts)[];
    for (const name of names) used.set(requests[name], Math.ceil(this.#counts[name] - this.#told[name]));
    this.#since = now;
    this.#told = { ...this.#counts };
    this.#isTold = true;
    return new Map([...used].filter(([, value]) => value > 0));
  }
}

/**
 * Adds what this invocation has used to what its job has used. Without it the job's cost is told too low, and nothing else is wrong: what goes
 * wrong is logged.
 * @param shard  spreads the writes of many copiers
 * @param batches  that were handed out to children
 */
export async function noteUsage(
  { store, meter, log }: Pick<Services, 'store' | 'meter' | 'log'>,
  job: string,
  { shard = 0, batches = 0 }: { readonly shard?: number; readonly batches?: number } = {},
): Promise<void> {
  try {
    const used = meter.take();
    const { transitions } = usageCounters;
    if (batches > 0) used.set(transitions, (used.get(transitions) ?? 0) + batches * TRANSITIONS_OF_BATCH);
    await store.count(job, shard, used);
  } catch (error) {
    log.warn({ job, error: messageOf(error) }, 'what the job has used of AWS could not be noted');
  }
}
