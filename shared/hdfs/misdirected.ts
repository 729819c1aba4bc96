import type { Where } from '../errors.ts';
import { splitUrl } from './urls.ts';
import { StorageError } from '../storage/errors.ts';

/** Operations whose first answer is a redirect: to a datanode, or to the server itself. */
const redirected = new Set(['OPEN', 'CREATE', 'APPEND', 'GETFILECHECKSUM']);

/**
 * What a redirect means that is not part of WebHDFS: another scheme, or the page on which people log in. Only its origin is told, since the
 * rest may hold a token.
 *
 * @param base  the address that was asked
 * @returns undefined for a redirect that the operation has
 */
export function misdirected(location: string, base: string, where: Where, status: number): StorageError | undefined {
  const own = new URL(splitUrl(base, where).origin);
  if (!URL.canParse(location, base)) return undefined;
  const to = new URL(location, base);
  const secured = own.protocol === 'http:' && to.protocol === 'https:' && to.hostname === own.hostname;
  const toDatanode = to.searchParams.has('namenoderpcaddress') || to.searchParams.has('data');
  if (redirected.has(where.operation) && (!secured || toDatanode)) return undefined;
  const url = `${to.protocol}//${to.host}`;
  return new StorageError('not-webhdfs', `HTTP ${status}`, '', where, {
    reason: `the server redirects to ${url}`,
    ...(secured
      ? { remedy: `use that URL in the cluster's definition`, disposition: 'fail-job' as const }
      : { remedy: 'check the URL: a log-in page or another service answers there' }),
  });
}

/**
 * Some names are too much for a server or for a gateway before it, which then says so before Hadoop hears of them: where the address is known to be
 * right, another try cannot help. @returns undefined for any other failure
 */
export function unaddressable(failure: unknown): StorageError | undefined {
  if (!(failure instanceof StorageError)) return undefined;
  const { exception, reason, where = { operation: 'request', path: '/' } } = failure;
  // HttpFS says nothing at all when it is a request's body that it does not take.
  if (!/^HTTP (?:400|414|431)$/.test(exception) || reason === 'HTTP 400') return undefined;
  return new StorageError('invalid', exception, '', where, {
    reason: `the server cannot take this name: ${reason}`,
    remedy: 'its path is too long in a URL, or holds what cannot stand in one: shorten it, or copy through HttpFS',
  });
}
