import { FanoutError } from '../errors.ts';
import type { Loss } from '../preserve/losses.ts';
import { offered } from '../storage/offered.ts';
import type { Storage } from '../storage/storage.ts';

/** Where a directory's quotas are read, and where they are set. */
interface QuotaEnds {
  readonly source: Storage;
  readonly from: string;
  readonly destination: Storage;
  readonly to: string;
}

/**
 * Gives a directory the quotas that its source has, of which only those are sent that differ; what the source does not limit stays as it is.
 * A quota below what the directory holds is set as well, and is told of: the next file that is written there is refused.
 * @returns what could not be kept
 */
export async function settleQuotas(
  { source, from, destination, to }: QuotaEnds,
  signal: AbortSignal,
): Promise<Loss | undefined> {
  try {
    const { quotas } = (await source.hadoop?.quotaUsage(from, signal)) ?? {};
    if (!quotas || quotas.size === 0) return undefined;
    const hadoop = offered(destination, 'hadoop', to);
    const there = await hadoop.quotaUsage(to, signal);
    const differing = new Map([...quotas].filter(([of, limit]) => there.quotas.get(of) !== limit));
    if (differing.size > 0) await hadoop.setQuotas(to, differing, signal);
    const exceeded = [...quotas].filter(([of, limit]) => (there.used.get(of) ?? 0) > limit).map(([of]) => of);
    return exceeded.length > 0 ? { attribute: 'quota', error: new QuotaExceededError(to, exceeded) } : undefined;
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return { attribute: 'quota', error };
  }
}

/** A directory that holds more than its quota. */
class QuotaExceededError extends FanoutError {
  override readonly name = 'QuotaExceededError';
  constructor(path: string, of: readonly string[]) {
    super(`it holds more than its quota of ${of.join(' and ')}`, {
      disposition: 'fail-unit',
      where: { operation: 'SETQUOTA', path },
      remedy: 'raise the quota there, or lower the replication',
    });
  }
}
