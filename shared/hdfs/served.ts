import { FanoutError } from '../errors.ts';
import { retry } from '../retry.ts';
import { hasCode } from '../storage/errors.ts';
import type { Answer } from './http.ts';
import type { NamenodeRest, Parameters } from './rest.ts';

const REFUSALS = 3;

/**
 * Asks the nameservice that serves one path about another, whatever the mounts say of that. Sends a request that may safely be sent twice.
 * @param served  a path of the nameservice that is asked
 * @throws StorageError, TransportError
 */
export function askServed(
  rest: NamenodeRest,
  served: string,
  method: string,
  operation: string,
  path: string,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<Answer> {
  const nameservice = rest.nameservice(served);
  const policy = { attempts: Infinity, totalMs: rest.cluster.retry_timeout * 1000, baseMs: 200, capMs: 5000 };
  let refusals = 0;
  const again = (error: unknown) => {
    if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
    // What a namenode refuses in such words seldom changes.
    return hasCode(error, 'io', 'other') && ++refusals >= REFUSALS ? 'no' : 'soon';
  };
  return retry(policy, signal, again, () => rest.once(nameservice, method, operation, path, parameters, signal));
}
