// A cluster before it runs: its addresses, its directories, its configuration files, its daemons.
import { basename, join } from 'node:path';
import type { Hadoop } from './jars.ts';
import { formatted } from './format.ts';
import { freePorts } from './ports.ts';
import { type ClusterOptions, coreSettings, datanodeSettings, hdfsSettings } from './settings.ts';
import { writeSites } from './site.ts';

/** What Launcher.java can host. */
export type DaemonKind = 'namenode' | 'datanode';

export interface Daemon {
  /** The cluster's name and what it is there, as in A-nn and A-dn1. */
  name: string;
  kind: DaemonKind;
  configuration: string;
}

export interface Datanode {
  daemon: string;
  /** The host and port that redirects name. */
  httpAddress: string;
  /** In the form that `excludedatanodes` understands. */
  transferAddress: string;
}

export interface Cluster<Name extends string = string> {
  name: Name;
  clusterId: string;
  namenodeUrl: string;
  rpc: string;
  namenode: string;
  datanodes: Datanode[];
  daemons: Daemon[];
}

const portsOfNamenode = 2;
const portsOfDatanode = 3;

interface Allotment {
  namenode: number[];
  datanodes: number[][];
}

const allot = async (options: readonly ClusterOptions[]): Promise<Allotment[]> => {
  const count = (of: ClusterOptions): number => portsOfNamenode + portsOfDatanode * (of.datanodes ?? 1);
  const ports = await freePorts(options.reduce((sum, of) => sum + count(of), 0));
  return options.map((of) => ({
    namenode: ports.splice(0, portsOfNamenode),
    datanodes: Array.from({ length: of.datanodes ?? 1 }, () => ports.splice(0, portsOfDatanode)),
  }));
};

const prepareOne = async <Name extends string>(
  hadoop: Hadoop,
  dir: string,
  options: ClusterOptions<Name>,
  ports: Allotment,
): Promise<Cluster<Name>> => {
  const { name } = options;
  const data = join(dir, 'data', name);
  const configurationOf = (daemon: string): string => join(dir, 'configuration', daemon);
  const [rpcPort, httpPort] = ports.namenode;
  const place = { rpc: `localhost:${rpcPort}`, http: `localhost:${httpPort}`, directory: join(data, 'name') };
  const core = coreSettings(place.rpc, join(data, 'scratch'), options.extraCore);
  const hdfs = hdfsSettings(options, place);
  const namenode: Daemon = { name: `${name}-nn`, kind: 'namenode', configuration: configurationOf(`${name}-nn`) };
  // Daemons of several clusters may share a JVM, and some of what it exposes: the id tells whose is whose.
  const clusterId = `${name}-${basename(dir)}`;
  await formatted(hadoop, place.directory, clusterId);
  await writeSites(namenode.configuration, { core, hdfs });
  const daemons = [namenode];
  const datanodes: Datanode[] = [];
  for (const [index, [transfer, ipc, http]] of ports.datanodes.entries()) {
    const daemon = `${name}-dn${index + 1}`;
    const at = datanodeSettings({
      transfer: `localhost:${transfer}`,
      ipc: `localhost:${ipc}`,
      http: `localhost:${http}`,
      directory: join(data, daemon),
    });
    await writeSites(configurationOf(daemon), { core, hdfs: { ...at, ...hdfs } });
    daemons.push({ name: daemon, kind: 'datanode', configuration: configurationOf(daemon) });
    datanodes.push({ daemon, httpAddress: `localhost:${http}`, transferAddress: `127.0.0.1:${transfer}` });
  }
  const { rpc } = place;
  return { name, clusterId, namenodeUrl: `http://${place.http}`, rpc, namenode: namenode.name, datanodes, daemons };
};

/** Chooses the ports, writes the configuration and formats the namenodes of all clusters of a bed. */
export const prepareClusters = async <Name extends string>(
  hadoop: Hadoop,
  dir: string,
  options: readonly ClusterOptions<Name>[],
): Promise<Cluster<Name>[]> => {
  const allotments = await allot(options);
  const clusters: Cluster<Name>[] = [];
  for (const [index, ports] of allotments.entries()) {
    const of = options[index];
    if (of) clusters.push(await prepareOne(hadoop, dir, of, ports));
  }
  return clusters;
};
