import { SpecError } from '../../shared/errors.ts';
import type { Cluster } from '../../shared/hdfs/cluster.ts';
import { isWithin, normalize } from '../../shared/storage/path.ts';

type Nameservice = Cluster['nameservices'][number];

/** `hdfs://authority/path`; of `/path` the first two are missing. */
interface Uri {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
}

/** `dfs.namenode.http-address` and `dfs.namenode.https-address` of Hadoop 3, which a webhdfs URI without a port means. */
const PORTS: Readonly<Record<string, string>> = { webhdfs: '9870', swebhdfs: '9871' };

/**
 * Where a URI of Hadoop's lies among the clusters that are defined: `cluster:/path`. An authority is a nameservice, which is the alias of a
 * cluster here, or a host. hdfs:// names a port of Hadoop's RPC, which the definitions do not hold: only its host counts.
 *
 * @param text  a URI, a location `cluster:/path`, or an absolute path
 * @param defaultFs  what an absolute path belongs to
 * @param file  that defines the clusters, for messages
 * @throws SpecError where it names none of them, or more than one
 */
export function locationOf(
  text: string,
  clusters: ReadonlyMap<string, Cluster>,
  defaultFs: string | undefined,
  file: string,
): string {
  if (/^[A-Za-z0-9][\w.-]*:(?!\/\/)[^]/.test(text) && !/^(?:hdfs|webhdfs|swebhdfs|viewfs|file):/.test(text))
    return text;
  const uri = uriOf(text, defaultFs);
  if (uri.scheme === 'file') return `local:${uri.path}`;
  const found = aliasesOf(uri, clusters);
  const [alias, ...others] = found;
  if (alias === undefined) {
    const name = /^[A-Za-z0-9][\w-]*$/.test(uri.authority) ? uri.authority : 'NAME';
    const service = uri.scheme === 'hdfs' && name !== 'NAME' ? ` --nameservice ${name}` : '';
    throw new SpecError(
      `${text}: no cluster in ${file} is ${uri.authority} (it defines ${[...clusters.keys()].join(', ')})`,
      `add it: hdfs-fanout clusters import --name ${name}${service} /etc/hadoop/conf; or write cluster:/path`,
    );
  }
  if (others.length > 0) {
    throw new SpecError(
      `${text}: ${found.join(' and ')} in ${file} both have the host ${hostOf(uri.authority)}`,
      `write ${alias}:${uri.path}, or webhdfs:// with the port of its namenode`,
    );
  }
  return `${alias}:${uri.path}`;
}

function uriOf(text: string, defaultFs: string | undefined): Uri {
  if (text.startsWith('/')) {
    if (defaultFs === undefined) {
      throw new SpecError(
        `${text} names no cluster`,
        'write hdfs://nameservice/path or cluster:/path, or add -fs hdfs://nameservice',
      );
    }
    return { ...uriOf(defaultFs, undefined), path: text };
  }
  const [, scheme = '', authority = '', path = ''] = /^([A-Za-z][\w+.-]*):(?:\/\/([^/]*))?(\/[^]*)?$/.exec(text) ?? [];
  if (!['hdfs', 'webhdfs', 'swebhdfs', 'viewfs', 'file'].includes(scheme)) {
    throw new SpecError(`${text} is no path of HDFS`, 'write hdfs://, webhdfs://, swebhdfs:// or cluster:/path');
  }
  if (authority === '' && scheme !== 'file') {
    throw new SpecError(`${text} names no cluster`, 'write hdfs://nameservice/path or cluster:/path');
  }
  return { scheme, authority, path: path || '/' };
}

/** The clusters that have a nameservice of this name or address, where it is the one that serves the path. */
function aliasesOf({ scheme, authority, path }: Uri, clusters: ReadonlyMap<string, Cluster>): string[] {
  if (clusters.has(authority)) return [authority];
  if (scheme === 'viewfs') return [];
  const isMeant = meant(scheme, authority);
  const found = [...clusters].filter(([, { nameservices }]) => {
    const serving = longestMount(path, nameservices);
    return serving !== undefined && isMeant(serving);
  });
  return found.map(([alias]) => alias);
}

function meant(scheme: string, authority: string): (nameservice: Nameservice) => boolean {
  const port = PORTS[scheme];
  if (port === undefined) {
    const host = hostOf(authority);
    return ({ name, urls }) => name === authority || urls.some((url) => same(hostOf(addressOf(url)), host));
  }
  const address = /:\d+$/.test(authority) ? authority : `${authority}:${port}`;
  const protocol = scheme === 'webhdfs' ? 'http:' : 'https:';
  const isIt = (url: string) => url.startsWith(protocol) && same(addressOf(url), address);
  return ({ name, urls }) => name === authority || urls.some(isIt);
}

function longestMount(path: string, nameservices: readonly Nameservice[]): Nameservice | undefined {
  const lengthIn = ({ mounts }: Nameservice) =>
    Math.max(...mounts.map((mount) => (isWithin(normalize(path), mount) ? mount.length : -1)));
  const [best] = [...nameservices].sort((a, b) => lengthIn(b) - lengthIn(a));
  return best && lengthIn(best) >= 0 ? best : undefined;
}

/** Host and port of a URL, the usual port too. */
function addressOf(url: string): string {
  const [, protocol = '', host = ''] = /^(https?):\/\/([^/]+)/.exec(url) ?? [];
  return /:\d+$/.test(host) ? host : `${host}:${protocol === 'https' ? 443 : 80}`;
}

function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '');
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
