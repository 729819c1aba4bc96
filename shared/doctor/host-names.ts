import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { TransportError } from '../errors.ts';
import { transportError } from '../hdfs/transport-error.ts';
import { cachedLookup } from '../hdfs/lookup.ts';
import type { Context } from './context.ts';
import { failed, ok, skipped } from './row.ts';

/** Time for looking up one host: a resolver asks each of its servers for some seconds. */
const RESOLVE_MS = 4000;

/** Whether the host of every URL has an address here. */
export async function hostNames(context: Context): Promise<void> {
  const lookup = cachedLookup();
  await context.eachEndpoint('name', [], async (endpoint) => {
    if (context.examination.cluster.proxy !== undefined) return skipped('the proxy looks it up');
    try {
      const addresses = await addressesOf(context.connector.addressOf(endpoint).hostname, lookup);
      return ok(addresses.join(', '));
    } catch (error) {
      return failed(
        error instanceof TransportError ? error.reason : String(error),
        'correct the name, or make it resolve here: name server, /etc/hosts',
      );
    }
  });
}

/** @throws TransportError */
async function addressesOf(hostname: string, lookup: LookupFunction): Promise<string[]> {
  const where = { operation: 'RESOLVE', path: '/' };
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(Object.assign(new Error(), { code: 'EAI_AGAIN' })), RESOLVE_MS);
      lookup(hostname, { all: true }, (error, addresses) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve([...new Set((addresses as LookupAddress[]).map(({ address }) => address))]);
      });
    });
  } catch (error) {
    throw transportError(error, where, RESOLVE_MS);
  }
}
