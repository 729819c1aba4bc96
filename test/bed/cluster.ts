// A cluster before it runs: its addresses, its directories, its configuration files, its daemons.
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Authority, issueCertificate, makeAuthority, sslServerSettings } from './certificates.ts';
import { formatted, formattedStandby } from './format.ts';
import { httpfsFlags, httpfsSettings } from './httpfs.ts';
import { type Hadoop, writeLogging } from './jars.ts';
import { impersonators, kerberosCore, kerberosFlags, kerberosHdfs } from './kerberos-settings.ts';
import { kmsAcls, kmsClientSettings, kmsFlags, kmsSettings } from './kms.ts';
import { freePorts } from './ports.ts';
import { type Realm, prepareRealm } from './realm.ts';
import {
  type ClusterOptions,
  authorityOf,
  coreSettings,
  datanodeSettings,
  hdfsSettings,
  isSecured,
  namenodeSettings,
} from './settings.ts';
import { type Properties, writeProperties, writeSites } from './site.ts';

/** What Launcher.java can host. */
export type DaemonKind = 'namenode' | 'datanode' | 'httpfs' | 'kms';

export interface Daemon {
  /** The cluster's name and what it is there, as in A-nn and A-dn1. */
  name: string;
  kind: DaemonKind;
  configuration: string;
  /** Of the JVM that hosts it, unless each daemon has one of its own. */
  host: string;
  /** Further system properties of that JVM. */
  properties?: Record<string, string>;
}

export interface Datanode {
  daemon: string;
  /** The host and port that redirects name. */
  httpAddress: string;
  /** In the form that `excludedatanodes` understands. */
  transferAddress: string;
}

export interface Namenode {
  daemon: string;
  url: string;
  rpc: string;
}

export interface Server {
  daemon: string;
  url: string;
}

export interface Cluster<Name extends string = string> {
  name: Name;
  clusterId: string;
  /** https:// on a cluster with TLS. */
  namenodeUrl: string;
  rpc: string;
  namenode: string;
  /** The namenode above, and its standby on a cluster with HA. */
  namenodes: Namenode[];
  datanodes: Datanode[];
  httpfs?: Server;
  kms?: Server;
  daemons: Daemon[];
  /** What a client of a cluster with TLS has to trust, as a PEM file. */
  ca?: string;
  kerberos?: Realm;
}

/** What clusters of a bed share. */
export interface Prepared<Name extends string = string> {
  clusters: Cluster<Name>[];
  realms: Realm[];
}

/** alice and bob are nobody special, hdfs is the superuser, and proxy may impersonate anybody. */
const users = ['hdfs', 'alice', 'bob', 'proxy'];

/** At least as many as there are in the cluster's configuration. */
const portsOf = ({ datanodes = 1 }: ClusterOptions): number => 7 + 3 * datanodes;

type NextPort = () => number;

const portsFor = async (options: readonly ClusterOptions[]): Promise<NextPort> => {
  const ports = await freePorts(options.reduce((sum, of) => sum + portsOf(of), 0));
  return () => {
    const port = ports.pop();
    if (port === undefined) throw new Error('the bed has counted its ports wrongly');
    return port;
  };
};

interface Ground {
  hadoop: Hadoop;
  dir: string;
  port: NextPort;
  authority: Authority | undefined;
  realms: Realm[];
}

const prepareOne = async <Name extends string>(
  { hadoop, dir, port, authority, realms }: Ground,
  options: ClusterOptions<Name>,
): Promise<Cluster<Name>> => {
  const { name } = options;
  if (options.encryptionZones && isSecured(options))
    throw new Error(`${name}: a KMS stands beside insecure clusters only`);
  const data = join(dir, 'data', name);
  const realm = realms.find((of) => of.realm === options.kerberos?.realm);
  const secured = isSecured(options);
  const sharedEdits = join(data, 'edits');
  const places = (options.ha ? ['nn1', 'nn2'] : ['nn']).map((suffix) => ({
    suffix,
    rpc: `localhost:${port()}`,
    http: `localhost:${port()}`,
    directory: join(data, suffix),
  }));
  const kmsPort = options.encryptionZones ? port() : undefined;
  const core = {
    ...coreSettings(authorityOf(options, places), join(data, 'scratch')),
    ...(realm ? kerberosCore(realm) : {}),
    ...(kmsPort === undefined ? {} : kmsClientSettings(kmsPort)),
    ...options.extraCore,
  };
  const hdfs = {
    ...hdfsSettings(options, places, sharedEdits),
    ...(realm ? kerberosHdfs(realm) : {}),
    ...options.extraHdfs,
  };
  const certificate =
    authority && secured ? await issueCertificate(authority, name, options.tlsName ?? 'localhost') : undefined;
  const configurationOf = (daemon: string): string => join(dir, 'configuration', daemon);
  const hostOf = (kind: DaemonKind, daemon: string): string => {
    if (kind === 'httpfs' || kind === 'kms' || (kind === 'namenode' && options.ha)) return daemon;
    return secured ? name : 'all';
  };
  const daemons: Daemon[] = [];
  const add = async (kind: DaemonKind, suffix: string, own: Properties, flags = {}): Promise<string> => {
    const daemon = `${name}-${suffix}`;
    const configuration = configurationOf(daemon);
    await writeSites(configuration, { core, hdfs: { ...own, ...hdfs } });
    if (certificate) await writeProperties(join(configuration, 'ssl-server.xml'), sslServerSettings(certificate));
    const properties = { ...flags, ...(realm ? kerberosFlags(realm) : {}) };
    daemons.push({ name: daemon, kind, configuration, host: hostOf(kind, daemon), properties });
    return daemon;
  };
  const addServer = async (kind: 'httpfs' | 'kms', path: string, serverPort: number): Promise<Server> => {
    const daemon = `${name}-${kind}`;
    const home = join(data, kind);
    for (const directory of ['log', 'temp']) await mkdir(join(home, directory), { recursive: true });
    const configuration = configurationOf(daemon);
    await writeLogging(join(configuration, `${kind}-log4j.properties`));
    if (kind === 'kms') {
      await writeProperties(join(configuration, 'kms-site.xml'), kmsSettings(serverPort, home));
      await writeProperties(join(configuration, 'kms-acls.xml'), kmsAcls);
      await add(kind, kind, {}, kmsFlags(configuration, home));
    } else {
      const impersonating = realm ? impersonators : ['root'];
      const settings = httpfsSettings(serverPort, { impersonators: impersonating, tls: secured, realm });
      await writeProperties(join(configuration, 'httpfs-site.xml'), settings);
      await writeFile(join(configuration, 'httpfs-signature.secret'), name);
      await add(kind, kind, {}, httpfsFlags(configuration, home));
    }
    return { daemon, url: `${secured ? 'https' : 'http'}://localhost:${serverPort}${path}` };
  };
  // Daemons of several clusters may share a JVM, and some of what it exposes: the id tells whose is whose.
  const clusterId = `${name}-${basename(dir)}`;
  const namenodes: Namenode[] = [];
  for (const [index, { suffix, rpc, http, directory }] of places.entries()) {
    const [active] = namenodes.length > 0 ? places : [];
    if (active) await formattedStandby(active.directory, directory, sharedEdits);
    else await formatted(hadoop, directory, clusterId);
    const daemon = await add('namenode', suffix, namenodeSettings(options, index + 1, directory));
    namenodes.push({ daemon, url: `${secured ? 'https' : 'http'}://${http}`, rpc });
  }
  const datanodes: Datanode[] = [];
  for (let index = 1; index <= (options.datanodes ?? 1); index++) {
    const [transfer, ipc, http] = [port(), port(), port()];
    const own = datanodeSettings(options, {
      transfer: `localhost:${transfer}`,
      ipc: `localhost:${ipc}`,
      http: `localhost:${http}`,
      directory: join(data, `dn${index}`),
    });
    const daemon = await add('datanode', `dn${index}`, own);
    datanodes.push({ daemon, httpAddress: `localhost:${http}`, transferAddress: `127.0.0.1:${transfer}` });
  }
  const kms = kmsPort === undefined ? undefined : await addServer('kms', '/kms', kmsPort);
  const httpfs = options.httpfs ? await addServer('httpfs', '', port()) : undefined;
  const [first] = namenodes;
  if (!first) throw new Error(`${name} has no namenode`);
  return {
    name,
    clusterId,
    namenodeUrl: first.url,
    rpc: first.rpc,
    namenode: first.daemon,
    namenodes,
    datanodes,
    daemons,
    ...(kms ? { kms } : {}),
    ...(httpfs ? { httpfs } : {}),
    ...(secured && authority ? { ca: authority.ca } : {}),
    ...(realm ? { kerberos: realm } : {}),
  };
};

/** Chooses the ports, writes the configuration, formats the namenodes and makes the realms of all clusters of a bed. */
export const prepareClusters = async <Name extends string>(
  hadoop: Hadoop,
  dir: string,
  options: readonly ClusterOptions<Name>[],
): Promise<Prepared<Name>> => {
  const port = await portsFor(options);
  const authority = options.some(isSecured) ? await makeAuthority(join(dir, 'certificates')) : undefined;
  const realms: Realm[] = [];
  for (const realm of new Set(options.flatMap(({ kerberos }) => kerberos?.realm ?? [])))
    realms.push(await prepareRealm(realm, users, port(), join(dir, 'realms', realm)));
  const clusters: Cluster<Name>[] = [];
  for (const of of options) clusters.push(await prepareOne({ hadoop, dir, port, authority, realms }, of));
  return { clusters, realms };
};
