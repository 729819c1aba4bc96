// Real clusters on the loopback interface, for tests.
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withArchive } from './archive.ts';
import { writeClientConfig } from './client-config.ts';
import { type Cluster, type Daemon, prepareClusters } from './cluster.ts';
import { makeOpenDirectory } from './control.ts';
import { makeActive } from './failover.ts';
import { Host, tailOf } from './host.ts';
import { type Hadoop, type Say, getHadoop } from './jars.ts';
import type { JvmOptions } from './jvm.ts';
import { createKey } from './kms.ts';
import { jvmHost } from './launch.ts';
import { waitReady, waitUntil } from './ready.ts';
import { kdcHost, kdcTrouble } from './realm.ts';
import type { ClusterOptions } from './settings.ts';

export type { Cluster, ClusterOptions };

export interface BedOptions<Name extends string = 'A' | 'B'> extends Pick<JvmOptions, 'heapMb' | 'c2'> {
  /** One namenode and one datanode each unless said otherwise; without this, clusters A and B. */
  clusters?: readonly ClusterOptions<Name>[];
  /** One JVM per daemon, so that one can be killed; otherwise one JVM, named all, for all of them. */
  separate?: boolean;
  /** Holds configuration, data and logs, and is kept; otherwise a temporary directory that stop() removes. */
  dir?: string;
  /** By default the daemons end when this process does, in whatever way. */
  keepAlive?: 'with-parent' | 'detached';
  version?: string;
  say?: Say;
}

export interface Bed<Name extends string = string> {
  clusters: Record<Name, Cluster<Name>>;
  dir: string;
  /** Names all clusters, in the form pywhdfs reads. */
  configFile: string;
  version: string;
  hosts: readonly { name: string; pid: number | undefined; daemons: string[] }[];
  /** The last lines of each log. */
  logs(lines?: number): string;
  /** Sends a signal to a daemon's JVM, by default SIGKILL, and waits for its end if the signal means one. */
  kill(daemon: string, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a killed daemon again, with the same ports and data, and waits until it is of use. */
  start(daemon: string): Promise<void>;
  /** A graceful failover to a namenode with HA; a forced one if the other was killed. */
  makeActive(namenode: string): Promise<void>;
  /** Until all daemons are of use but those that kill() has ended or suspended. */
  waitReady(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const defaultClusters = [{ name: 'A' }, { name: 'B' }] as const;
const readyWithinMs = 180_000;
const attempts = 3;

const makeDir = async (wanted: string | undefined): Promise<string> => {
  if (wanted === undefined) return mkdtemp(join(await realpath(tmpdir()), 'hdfs-fanout-bed-'));
  await mkdir(wanted, { recursive: true });
  if ((await readdir(wanted)).length > 0) throw new Error(`${wanted} is not empty`);
  return realpath(wanted);
};

const logsOf = (hosts: Host[], lines: number): string => {
  const tails = hosts.map(({ name, log }) => ({ name, tail: tailOf(log, lines) })).filter(({ tail }) => tail !== '');
  return tails.map(({ name, tail }) => `==> ${name} <==\n${tail}\n`).join('\n');
};

/** A port was free when it was chosen, but any connection of any process may have taken it since. */
const tellsOfLostPort = (logs: string): boolean =>
  logs.includes('java.net.BindException') || logs.includes('Address already in use');

const hostNamed = (hosts: Host[], name: string): Host => {
  const host = hosts.find((candidate) => candidate.name === name);
  if (host) return host;
  throw new Error(`no JVM is named ${name}; there are ${hosts.map((candidate) => candidate.name).join(', ')}`);
};

const hostOf = (hosts: Host[], daemon: string): Host => {
  const host = hosts.find(({ daemons }) => daemons.includes(daemon));
  if (host) return host;
  throw new Error(`no JVM hosts ${daemon}`);
};

const startAgain = async (host: Host, hosts: Host[], clusters: Cluster[]): Promise<void> => {
  const affected = clusters.filter((cluster) => cluster.daemons.some(({ name }) => host.daemons.includes(name)));
  for (let attempt = 1; ; attempt++) {
    host.start();
    try {
      await waitReady(affected, hosts, readyWithinMs);
      return;
    } catch (error) {
      if (attempt === attempts || !tellsOfLostPort(tailOf(host.log, 60))) throw error;
      await sleep(500);
    }
  }
};

const controlOf =
  (hosts: Host[]) =>
  (daemon: string): string | undefined => {
    const { control, away } = hostOf(hosts, daemon);
    return away ? undefined : control;
  };

/** Each JVM's daemons by its name. */
const groupsOf = (clusters: Cluster[], separate = false): Map<string, Daemon[]> =>
  Map.groupBy(
    clusters.flatMap((cluster) => cluster.daemons),
    (daemon) => (separate ? daemon.name : daemon.host),
  );

/** The directories that its options ask for, and with Kerberos, where the superuser is not who runs the tests, /tmp. */
const furnish = async (options: ClusterOptions, cluster: Cluster, hosts: Host[]): Promise<void> => {
  const { namenode, namenodes, kms } = cluster;
  if (namenodes.length > 1) await makeActive([cluster], namenode, controlOf(hosts));
  const { control = '' } = hostOf(hosts, namenode);
  if (cluster.kerberos) await makeOpenDirectory(control, namenode, '/tmp');
  const zones = Object.entries(options.encryptionZones ?? {});
  for (const key of new Set(zones.map(([, name]) => name))) if (kms) await createKey(kms.url, key);
  for (const [path, key] of zones) await makeOpenDirectory(control, namenode, path, { key });
  for (const [path, policy] of Object.entries(options.erasureCoding ?? {}))
    await makeOpenDirectory(control, namenode, path, { policy });
};

const startOnce = async <Name extends string>(
  hadoop: Hadoop,
  options: BedOptions<Name>,
  hosts: Host[],
): Promise<Bed<Name>> => {
  const dir = await makeDir(options.dir);
  const own = options.dir === undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.stop()));
    if (own) await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await mkdir(join(dir, 'logs'), { recursive: true });
    const wanted = (options.clusters ?? defaultClusters) as readonly ClusterOptions<Name>[];
    const { clusters, realms } = await prepareClusters(hadoop, dir, wanted);
    const configFile = join(dir, 'clusters.json');
    await writeClientConfig(configFile, clusters);
    const kdcs = realms.map((realm) => new Host(kdcHost(realm, dir)));
    hosts.push(...kdcs);
    for (const kdc of kdcs) kdc.start();
    await waitUntil(kdcs, readyWithinMs, () => kdcTrouble(realms));
    const launch = { hadoop, dir, removed: own ? dir : undefined, heapMb: options.heapMb, c2: options.c2 };
    const jvms = [...groupsOf(clusters, options.separate)].map(([name, of]) => new Host(jvmHost(name, of, launch)));
    hosts.push(...jvms);
    for (const jvm of jvms) jvm.start();
    await waitReady(clusters, hosts, readyWithinMs);
    await Promise.all(
      wanted.map(async (of) => {
        const cluster = clusters.find(({ name }) => name === of.name);
        if (cluster) await furnish(of, cluster, hosts);
      }),
    );
    const letGo = async (): Promise<void> => {
      if (options.keepAlive === 'detached') await Promise.all(hosts.map((host) => host.release()));
    };
    await letGo();
    return {
      clusters: Object.fromEntries(clusters.map((of) => [of.name, of])) as Record<Name, Cluster<Name>>,
      dir,
      configFile,
      version: hadoop.version,
      get hosts() {
        return hosts.map(({ name, pid, daemons }) => ({ name, pid, daemons }));
      },
      logs: (lines = 60) => logsOf(hosts, lines),
      kill: async (daemon, signal = 'SIGKILL') => hostNamed(hosts, daemon).kill(signal),
      start: async (daemon) => {
        await startAgain(hostNamed(hosts, daemon), hosts, clusters);
        await letGo();
      },
      makeActive: (namenode) => makeActive(clusters, namenode, controlOf(hosts)),
      waitReady: (timeoutMs = readyWithinMs) => waitReady(clusters, hosts, timeoutMs),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    const logs = logsOf(hosts, 60);
    await stop();
    throw new Error(`the test bed did not start: ${(error as Error).message}\n${logs}`.trimEnd(), { cause: error });
  }
};

/** Rejects, with the end of each log in the message and nothing left running, if not all of it comes up. */
export const startBed = async <const Name extends string = 'A' | 'B'>(
  options: BedOptions<Name> = {},
): Promise<Bed<Name>> => {
  const hadoop = await withArchive(await getHadoop(options.version, options.say), options.say);
  for (let attempt = 1; ; attempt++) {
    const hosts: Host[] = [];
    try {
      return await startOnce(hadoop, options, hosts);
    } catch (error) {
      if (attempt === attempts || options.dir !== undefined || !tellsOfLostPort((error as Error).message)) throw error;
    }
  }
};
