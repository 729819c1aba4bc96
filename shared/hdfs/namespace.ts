import { lookup } from 'node:dns/promises';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { hostPortOf } from './addresses.ts';
import type { HttpTransport } from './http.ts';
import { splitUrl } from './urls.ts';
import type { Nameservice } from './nameservice.ts';

/** For how long a namenode may take to tell which namespace it serves, ms. */
const ANSWER_MS = 5000;

/**
 * What tells a nameservice's namespace from others, however its addresses are spelled: its addresses with host names resolved, and its
 * block pool, where a namenode tells that to anyone (JMX). Never fails: what cannot be learnt is left out, and may be learnt by another
 * job, so that one alone would not do.
 *
 * @see Hadoop NameNodeInfo (FSNamesystem.getBlockPoolId)
 */
export async function namespaceIds(
  { urls }: Nameservice,
  http: HttpTransport,
  log: Log,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  const addresses = (await Promise.all(urls.map(resolvedAddresses))).flat();
  try {
    return [...addresses, await Promise.any(urls.filter(isNamenode).map((url) => blockPool(url, http, limit)))];
  } catch (error) {
    signal.throwIfAborted();
    const reasons = error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)];
    log.debug({ reasons }, 'no namenode tells its block pool: the cluster is known by its addresses');
    return addresses;
  }
}

/** Whether a URL may be a namenode's: one with a path is a gateway's, which leads to no JMX. */
function isNamenode(url: string): boolean {
  return splitUrl(url).path === '';
}

/** @throws when this address does not tell it, or tells those of several */
async function blockPool(url: string, http: HttpTransport, signal: AbortSignal): Promise<string> {
  // One attribute, since the whole bean lists every datanode. Namenodes that share a JVM show each other's, numbered.
  const path = '/jmx?get=Hadoop:service=NameNode,name=NameNodeInfo*::BlockPoolId';
  const where = { operation: 'GET', path: '/jmx', host: splitUrl(url).host };
  const { status, text } = await http.exchange('GET', `${url}${path}`, where, signal);
  if (status !== 200) throw new Error(`${where.host}: HTTP ${status}`);
  const { beans = [] } = JSON.parse(text) as { beans?: { BlockPoolId?: unknown }[] };
  const [pool] = beans.map(({ BlockPoolId: id }) => id);
  if (beans.length !== 1 || typeof pool !== 'string' || pool === '') {
    throw new Error(`${where.host}: it tells ${beans.length} block pools`);
  }
  return pool;
}

/** A URL with each IP address of its host in place of the name. */
async function resolvedAddresses(url: string): Promise<string[]> {
  const { origin, path } = splitUrl(url);
  const { hostname, port } = hostPortOf(origin);
  const found = await lookup(hostname, { all: true }).catch(() => []);
  return found.map(({ address }) => `${new URL(origin).protocol}//${address}:${port}${path}`);
}
