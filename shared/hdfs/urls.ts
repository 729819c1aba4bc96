import { TransportError, type Where } from '../errors.ts';

/**
 * Splits without normalising: the path of a redirect is sent as the server spelt it.
 * @param where  of the request that was redirected
 */
export function splitUrl(
  url: string,
  where: Where = { operation: 'request', path: '/' },
): { origin: string; path: string; host: string } {
  const [, origin = '', host = '', path = '/'] = /^(https?:\/\/([^/?#]+))([^#]*)$/.exec(url) ?? [];
  if (URL.canParse(origin)) return { origin, host, path };
  throw new TransportError('the server redirected to something that is not an http or https URL', where, {});
}
