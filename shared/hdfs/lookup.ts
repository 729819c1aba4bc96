import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** For how long an answer is used again, ms. */
const KEPT_MS = 30_000;

interface Known {
  readonly atMs: number;
  readonly addresses: Promise<LookupAddress[]>;
}

/**
 * Resolves host names as the system does and keeps the answers for a while: a datanode closes every connection, so a
 * small file takes four of them, and each would ask again.
 *
 * IPv4 comes first, since Hadoop's daemons listen on nothing else unless told so (java.net.preferIPv4Stack).
 */
export function cachedLookup(resolve = resolveAll, now = () => performance.now()): LookupFunction {
  const known = new Map<string, Known>();
  const addressesOf = (hostname: string): Promise<LookupAddress[]> => {
    const entry = known.get(hostname);
    if (entry && now() - entry.atMs < KEPT_MS) return entry.addresses;
    const found = resolve(hostname);
    known.set(hostname, { atMs: now(), addresses: found });
    // A failure is not kept: the next connection asks again.
    found.catch(() => known.delete(hostname));
    return found;
  };
  return (hostname, options, callback) => {
    addressesOf(hostname).then(
      (found) => {
        const [first] = found;
        if (options.all) callback(null, found);
        else callback(null, first?.address ?? '', first?.family ?? 4);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, []),
    );
  };
}

function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, order: 'ipv4first' }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });
}
