import type { Where } from '../errors.ts';
import { splitUrl } from './urls.ts';
import type { Nameservice } from './nameservice.ts';
import { encodePath } from '../storage/path.ts';

/** Where the second step of an operation goes. Its URL carries credentials and is told nobody. */
export interface Redirect {
  readonly url: string;
  /** The nameservice's own address when the server redirected to itself: it wants our credentials again. Undefined for a datanode. */
  readonly base: string | undefined;
}

/**
 * Reads a Location. HttpFS and gateways redirect to themselves, under the name that they have behind a proxy: they are asked again where
 * the definition says they are. Anything else is a datanode.
 *
 * A namenode spells the path of its redirects in Unicode's composed form (NFC), which is another name: our own spelling takes its place.
 *
 * @param path  that the operation is about
 * @throws TransportError when it is no URL
 * @see Hadoop NamenodeWebHdfsMethods.redirectURI, java.net.URI.toASCIIString; HttpFSServer.createUploadRedirectionURL
 */
export function redirectOf(location: string, nameservice: Nameservice, asked: Where): Redirect {
  const { url: active, urls } = nameservice;
  const request = `${active}/webhdfs/v1${encodePath(asked.path)}`;
  const { origin, path: whole } = splitUrl(absolute(location, request), asked);
  const cut = whole.indexOf('?');
  const [path, query] = cut < 0 ? [whole, ''] : [whole.slice(0, cut), whole.slice(cut)];
  const own = [active, ...urls].find((base) => isOrigin(base, origin) && path.startsWith(belowOf(base)));
  if (own !== undefined) {
    const prefix = belowOf(own).replace(/\/webhdfs\/$/, '');
    return { url: `${origin}${prefix}${respelt(path.slice(prefix.length), asked.path)}${query}`, base: own };
  }
  if (/[?&]data=true(?:&|$)/.test(query) && !/[?&]namenoderpcaddress=/.test(query)) {
    return { url: `${request}${query}`, base: active };
  }
  return { url: `${origin}${respelt(path, asked.path)}${query}`, base: undefined };
}

/** Resolves a relative reference without normalising what it holds. @see RFC 3986, 5.2 */
function absolute(location: string, request: string): string {
  if (/^[a-z][a-z\d+.-]*:/i.test(location)) return location;
  const { origin } = splitUrl(request);
  if (location.startsWith('//')) return `${origin.slice(0, origin.indexOf('//'))}${location}`;
  if (location.startsWith('/')) return `${origin}${location}`;
  return location.startsWith('?') ? `${request}${location}` : new URL(location, request).href;
}

function isOrigin(base: string, origin: string): boolean {
  return new URL(splitUrl(base).origin).origin === new URL(origin).origin;
}

/** Where an address's operations lie: those of a gateway below its own path. */
function belowOf(base: string): string {
  const { path } = splitUrl(base);
  return `${path}/webhdfs/`;
}

/** @param path  of a datanode's URL, encoded. @param asked  the same, as HDFS names it */
function respelt(path: string, asked: string): string {
  const [, encoded] = /^\/webhdfs\/v1(\/.*)$/.exec(path) ?? [];
  if (encoded === undefined) return path;
  let named: string;
  try {
    named = decodeURIComponent(encoded);
  } catch {
    return path;
  }
  return named.normalize('NFC') === asked.normalize('NFC') ? `/webhdfs/v1${encodePath(asked)}` : path;
}
