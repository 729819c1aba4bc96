// Whether a cluster can be used: its namenode is out of safe mode and its datanodes are in.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Datanode } from './cluster.ts';
import type { Host } from './host.ts';

interface Bean {
  ClusterId?: string;
  Safemode?: string;
  /** JSON in JSON, as are the others below. */
  LiveNodes?: string;
  BPServiceActorInfo?: string;
}

const beans = async (base: string, query: string): Promise<Bean[]> => {
  const response = await fetch(`${base}/jmx?qry=${query}`, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${base} answers ${response.status}`);
  return ((await response.json()) as { beans: Bean[] }).beans;
};

/** Every daemon answers with the beans of its whole JVM, so those of other clusters have to be left out. */
const namenodeTrouble = async (cluster: Cluster, datanodes: Datanode[]): Promise<string | undefined> => {
  const all = await beans(cluster.namenodeUrl, 'Hadoop:service=NameNode,name=NameNodeInfo*');
  const own = all.find(({ ClusterId }) => ClusterId === cluster.clusterId);
  if (!own) return 'starting';
  if (own.Safemode !== '') return `in safe mode: ${own.Safemode}`;
  const live = Object.keys(JSON.parse(own.LiveNodes ?? '{}') as object);
  const missing = datanodes.filter(({ transferAddress }) => {
    const port = transferAddress.slice(transferAddress.lastIndexOf(':'));
    return !live.some((name) => name.endsWith(port));
  });
  return missing.length > 0 ? `without ${missing.map(({ daemon }) => daemon).join(', ')}` : undefined;
};

/** A namenode goes on listing a datanode that has just died, so the datanode is asked too. */
const datanodeTrouble = async (cluster: Cluster, { httpAddress }: Datanode): Promise<string | undefined> => {
  const all = await beans(`http://${httpAddress}`, 'Hadoop:service=DataNode,name=DataNodeInfo*');
  const own = all.filter(({ ClusterId }) => ClusterId === cluster.clusterId);
  const states = own.map(
    ({ BPServiceActorInfo }) => JSON.parse(BPServiceActorInfo ?? '[]') as { ActorState: string }[],
  );
  return states.length > 0 && states.flat().every(({ ActorState }) => ActorState === 'RUNNING')
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

/** What keeps a cluster from being used, undefined if nothing does; daemons that are away on purpose do not. */
const clusterTrouble = async (cluster: Cluster, away: Set<string>): Promise<string | undefined> => {
  if (away.has(cluster.namenode)) return undefined;
  const datanodes = cluster.datanodes.filter(({ daemon }) => !away.has(daemon));
  const trouble = await asked(cluster.namenode, namenodeTrouble(cluster, datanodes));
  if (trouble !== undefined) return trouble;
  const troubles = await Promise.all(datanodes.map((of) => asked(of.daemon, datanodeTrouble(cluster, of))));
  return troubles.find((of) => of !== undefined);
};

export const waitReady = async (clusters: Cluster[], hosts: Host[], timeoutMs: number): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const failure = hosts.find((host) => !host.running && !host.away)?.failure;
    if (failure) throw failure;
    const away = new Set(hosts.filter((host) => host.away).flatMap((host) => host.daemons.map(({ name }) => name)));
    const troubles = await Promise.all(clusters.map((cluster) => clusterTrouble(cluster, away)));
    const trouble = troubles.filter((of) => of !== undefined).join('; ');
    if (trouble === '') return;
    if (Date.now() > deadline) throw new Error(`not ready after ${timeoutMs / 1000} s: ${trouble}`);
    await sleep(50);
  }
};
