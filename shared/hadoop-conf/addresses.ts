import { SpecError } from '../errors.ts';
import type { HadoopConfiguration } from './configuration.ts';

/** `dfs.namenode.http-address` and `dfs.namenode.https-address` of Hadoop 3. */
const PORTS = { http: 9870, https: 9871 } as const;
export type Scheme = keyof typeof PORTS;

/** Where the namenodes of a nameservice are reached over HTTP, and what is not certain of it. */
export interface Addresses {
  readonly urls: readonly string[];
  readonly notes: readonly string[];
}

/** What `fs.defaultFS` names: `hdfs://prod`, a nameservice; `hdfs://nn1:8020`, a host; `viewfs://all`, a table of mounts. */
export interface FileSystem {
  readonly scheme: string;
  /** Name of a nameservice or a mount table, or a host. */
  readonly authority: string;
  readonly path: string;
}

/** @throws SpecError when it is no URI of a file system that HDFS serves */
export function fileSystemOf(uri: string, what: string): FileSystem {
  const [, scheme = '', authority = '', path = ''] = /^(\w+):\/\/([^/]*)(\/.*)?$/.exec(uri) ?? [];
  if (!['hdfs', 'viewfs', 'webhdfs', 'swebhdfs'].includes(scheme) || authority === '') {
    throw new SpecError(`${what} is ${uri}, which is not HDFS`, 'name a nameservice with --nameservice');
  }
  return { scheme, authority, path: path || '/' };
}

/**
 * The HTTP addresses of a nameservice's namenodes, or of the one namenode whose host is named.
 * org.apache.hadoop.hdfs.DFSUtil and DFSUtilClient: a wildcard address stands for the host of the RPC address, and one
 * there for that of `fs.defaultFS`.
 *
 * @param authority  a nameservice, or the host of `fs.defaultFS` with its RPC port
 */
export function addressesOf(configuration: HadoopConfiguration, authority: string, scheme: Scheme): Addresses {
  const isService = configuration.list('dfs.nameservices').includes(authority);
  if (!isService) return single(configuration, authority, scheme);
  const namenodes = configuration.list(`dfs.ha.namenodes.${authority}`);
  const suffixes = namenodes.length > 0 ? namenodes.map((id) => `.${authority}.${id}`) : [`.${authority}`];
  const otherwise = namenodes.length > 0 ? undefined : onlyHost(configuration);
  const found = suffixes.map((suffix) => addressOf(configuration, suffix, scheme, otherwise));
  return { urls: found.map(({ url }) => url), notes: found.flatMap(({ note }) => note ?? []) };
}

/** The host that `fs.defaultFS` names, where there is one nameservice that it can be of. */
function onlyHost(configuration: HadoopConfiguration): string | undefined {
  const services = configuration.list('dfs.nameservices');
  const [, authority] = /^(?:hdfs|s?webhdfs):\/\/([^/]+)/.exec(configuration.get('fs.defaultFS') ?? '') ?? [];
  return services.length === 1 && authority !== undefined && !services.includes(authority) ? authority : undefined;
}

function single(configuration: HadoopConfiguration, authority: string, scheme: Scheme): Addresses {
  const { url, note } = addressOf(configuration, '', scheme, authority);
  return { urls: [url], notes: note === undefined ? [] : [note] };
}

function addressOf(
  configuration: HadoopConfiguration,
  suffix: string,
  scheme: Scheme,
  otherwise?: string,
): { readonly url: string; readonly note?: string } {
  const name = `dfs.namenode.${scheme}-address${suffix}`;
  const rpcName = `dfs.namenode.rpc-address${suffix}`;
  const given = configuration.get(name);
  const [, host = '', port = String(PORTS[scheme])] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(given ?? '') ?? [];
  const isWildcard = ['', '0.0.0.0', '[::]'].includes(host);
  const named = isWildcard ? (hostOf(configuration.get(rpcName)) ?? hostOf(otherwise)) : host;
  if (named === undefined) {
    throw new SpecError(`neither ${name} nor ${rpcName} names a host`, 'take the configuration of a client');
  }
  const url = `${scheme}://${named}:${port}`;
  return given === undefined
    ? { url, note: `${name} is not set: ${url} has Hadoop's usual port; routers and Hadoop 2 have others` }
    : { url };
}

function hostOf(address: string | undefined): string | undefined {
  const host = address?.replace(/:\d+$/, '');
  return host === undefined || ['', '0.0.0.0', '[::]'].includes(host) ? undefined : host;
}
