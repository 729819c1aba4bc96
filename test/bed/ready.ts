// Whether a cluster can be used: its namenode is out of safe mode and its datanodes are in.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Datanode, Namenode } from './cluster.ts';
import { beansOf } from './control.ts';
import type { Host } from './host.ts';

const portOf = (address: string): string => address.slice(address.lastIndexOf(':'));

/** A JVM tells of all that it hosts, so what is of other clusters has to be left out. */
const namenodeTrouble = async (control: string, id: string, datanodes: Datanode[]): Promise<string | undefined> => {
  const query = 'Hadoop:service=NameNode,name=NameNodeInfo*';
  const all = await beansOf(control, query, ['ClusterId', 'Safemode', 'LiveNodes']);
  const own = all.find(({ ClusterId }) => ClusterId === id);
  if (!own) return 'starting';
  if (own.Safemode !== '') return `in safe mode: ${own.Safemode}`;
  const live = Object.keys(JSON.parse(own.LiveNodes ?? '{}') as object);
  const missing = datanodes.filter(
    ({ transferAddress }) => !live.some((name) => name.endsWith(portOf(transferAddress))),
  );
  return missing.length > 0 ? `without ${missing.map(({ daemon }) => daemon).join(', ')}` : undefined;
};

interface Actor {
  NamenodeAddress: string;
  ActorState: string;
}

/** A namenode goes on listing a datanode that has just died, so the datanode is asked too. */
const datanodeTrouble = async (control: string, id: string, namenodes: Namenode[]): Promise<string | undefined> => {
  const query = 'Hadoop:service=DataNode,name=DataNodeInfo*';
  const beans = await beansOf(control, query, ['ClusterId', 'BPServiceActorInfo']);
  const own = beans.filter(({ ClusterId }) => ClusterId === id);
  const isRegistered = (actors: Actor[], { rpc }: Namenode): boolean =>
    actors.some(({ NamenodeAddress, ActorState }) => NamenodeAddress.endsWith(portOf(rpc)) && ActorState === 'RUNNING');
  const all = own.map(({ BPServiceActorInfo }) => JSON.parse(BPServiceActorInfo ?? '[]') as Actor[]);
  return all.length > 0 && all.every((actors) => namenodes.every((namenode) => isRegistered(actors, namenode)))
    ? undefined
    : 'not registered';
};

const asked = async (who: string, ask: Promise<string | undefined>): Promise<string | undefined> => {
  try {
    const trouble = await ask;
    return trouble === undefined ? undefined : `${who}: ${trouble}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${who}: ${cause instanceof Error ? cause.message : message}`;
  }
};

/** Whatever its status, and whoever signed its certificate: it answers once its web application has started. */
export const webTrouble = (url: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const settle = (trouble: string | undefined): void => {
      request.destroy();
      resolve(trouble);
    };
    const options = { timeout: 5000, agent: false };
    const request = url.startsWith('https:')
      ? requestHttps(url, { ...options, rejectUnauthorized: false })
      : requestHttp(url, options);
    request.on('response', () => settle(undefined));
    request.on('timeout', () => settle('no answer'));
    request.on('error', ({ message }) => settle(message));
    request.end();
  });

/** What keeps a cluster from being used, undefined if nothing does; daemons that are away on purpose do not. */
const clusterTrouble = async (cluster: Cluster, hosts: Host[]): Promise<string | undefined> => {
  const controlOf = (daemon: string): string | undefined => {
    const host = hosts.find(({ daemons }) => daemons.includes(daemon));
    return host?.away ? undefined : host?.control;
  };
  const isThere = ({ daemon }: { daemon: string }): boolean => controlOf(daemon) !== undefined;
  const { clusterId } = cluster;
  const namenodes = cluster.namenodes.filter(isThere);
  const datanodes = cluster.datanodes.filter(isThere);
  const servers = [cluster.httpfs, cluster.kms].filter((of) => of !== undefined).filter(isThere);
  if (namenodes.length === 0) return undefined;
  const controls = new Map(datanodes.map(({ daemon }) => [controlOf(daemon) ?? '', daemon]));
  const troubles = await Promise.all([
    ...namenodes.map(({ daemon }) => asked(daemon, namenodeTrouble(controlOf(daemon) ?? '', clusterId, datanodes))),
    ...servers.map((server) => asked(server.daemon, webTrouble(server.url))),
    ...[...controls].map(([of, who]) => asked(who, datanodeTrouble(of, clusterId, namenodes))),
  ]);
  return troubles.find((of) => of !== undefined);
};

/** Calls until nothing keeps it from being used any more. @throws an error that tells what does, when it takes too long */
export const waitUntil = async (
  hosts: Host[],
  timeoutMs: number,
  trouble: () => Promise<string | undefined>,
): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const failure = hosts.find((host) => !host.running && !host.away)?.failure;
    if (failure) throw failure;
    const told = await trouble();
    if (told === undefined) return;
    if (Date.now() > deadline) throw new Error(`not ready after ${timeoutMs / 1000} s: ${told}`);
    await sleep(50);
  }
};

export const waitReady = (clusters: Cluster[], hosts: Host[], timeoutMs: number): Promise<void> =>
  waitUntil(hosts, timeoutMs, async () => {
    const troubles = await Promise.all(clusters.map((cluster) => clusterTrouble(cluster, hosts)));
    return troubles.find((of) => of !== undefined);
  });
