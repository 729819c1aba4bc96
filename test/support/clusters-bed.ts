import { once } from 'node:events';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type Bed, type BedOptions, type ClusterOptions, startBed } from '../bed/bed.ts';
import { runWide } from './run-wide.ts';
import { trashOn } from './shared-bed.ts';

const MIB = 1024 * 1024;

type Kind = Omit<ClusterOptions, 'name'> & Pick<BedOptions, 'version'>;

const namenodeWith = (property: string, value: string): Kind => ({
  extraHdfs: { [`dfs.namenode.${property}`]: value },
});

/** What some administrators switch off or limit. All in one JVM, started together. */
const edges = {
  edgeAcls: namenodeWith('acls.enabled', 'false'),
  edgeXattrs: namenodeWith('xattrs.enabled', 'false'),
  /** Reading leaves access times as they are. */
  edgeTimes: namenodeWith('accesstime.precision', '0'),
  /** Entries of a directory, the root too. */
  edgeItems: namenodeWith('fs-limits.max-directory-items', '5'),
  /** UTF-8 bytes of a name. */
  edgeNames: namenodeWith('fs-limits.max-component-length', '20'),
  edgeReplication: { extraHdfs: { 'dfs.replication.max': '2' } },
  /** Files have no checksums. */
  edgeChecksums: { extraHdfs: { 'dfs.checksum.type': 'NULL' } },
} satisfies Record<string, Kind>;

/** What tests share. Each starts when the first test asks for it (clusters.ts). */
const kinds = {
  ...edges,
  /** Two realms that do not trust each other. */
  K: { kerberos: { realm: 'ONE.TEST' } },
  L: { kerberos: { realm: 'TWO.TEST' }, httpfs: true },
  /** Tokens that live for seconds. */
  T: { kerberos: { realm: 'SHORT.TEST' }, tokenLife: { renewMs: 6000, maxMs: 16_000 } },
  H: { ha: true },
  /** Fails over again and again: for the tests of that alone. */
  F: { ha: true },
  E: { encryptionZones: { '/ez': 'k1', '/ez2': 'k2' }, extraCore: trashOn },
  X: { datanodes: 3, replication: 2, blockBytes: 2 * MIB, erasureCoding: { '/ec': 'XOR-2-1-1024k' } },
  /** A page of what differs between snapshots has three entries. */
  A: {
    httpfs: true,
    blockBytes: MIB,
    extraCore: trashOn,
    extraHdfs: { 'dfs.namenode.snapshotdiff.listing.limit': '3' },
  },
  B: { blockBytes: 4 * MIB, extraCore: trashOn },
  /** Of the older release that is still in wide use. */
  O: { version: '3.3.6', httpfs: true, blockBytes: MIB, extraCore: trashOn },
  /** TLS, and nothing else. */
  S: { tls: true },
  /** A certificate for another host. */
  W: { tlsName: 'elsewhere.test' },
} satisfies Record<string, Kind>;

export type ClusterName = keyof typeof kinds;

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where clusters.ts asks for clusters. */
    clustersBed: string;
  }
}

const isName = (text: string | undefined): text is ClusterName => text !== undefined && text in kinds;

/** The clusters that start with one. */
const companions = (name: ClusterName): readonly ClusterName[] =>
  name in edges ? (Object.keys(edges) as (keyof typeof edges)[]) : [name];

/** Serves the clusters to the processes of all test files: GET /NAME, POST /NAME/kill|start|active/DAEMON. */
async function serve() {
  const beds = new Map<ClusterName, Promise<Bed>>();
  const startWith = (first: ClusterName): Promise<Bed> => {
    const names = companions(first);
    const { version }: Kind = kinds[first];
    const clusters = names.map((name) => {
      const { version: _, ...kind }: Kind = kinds[name];
      return { name, ...kind };
    });
    const bed = startBed<ClusterName>({ clusters, ...(version ? { version } : {}) });
    for (const name of names) beds.set(name, bed);
    return bed;
  };
  const answer = async (path: string): Promise<unknown> => {
    const [, name, action, daemon = ''] = path.split('/');
    if (!isName(name)) throw new Error(`no cluster is named ${name}`);
    const bed = await (beds.get(name) ?? startWith(name));
    if (action === 'kill') await bed.kill(daemon);
    if (action === 'start') await bed.start(daemon);
    if (action === 'active') await bed.makeActive(daemon);
    return bed.clusters[name];
  };
  const send = (response: ServerResponse, status: number, body: string): void => {
    response.writeHead(status).end(body);
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '').then(
      (cluster) => send(response, 200, JSON.stringify(cluster)),
      (error: unknown) => send(response, 500, (error as Error).message),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    const started = await Promise.allSettled(new Set(beds.values()));
    await Promise.all(started.map(async (bed) => bed.status === 'fulfilled' && bed.value.stop()));
  };
  return { value: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** The clusters of all projects. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { value, stop } = await runWide('clusters', serve);
  provide('clustersBed', value);
  return stop;
}
