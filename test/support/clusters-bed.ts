import { once } from 'node:events';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type Bed, type BedOptions, type ClusterOptions, startBed } from '../bed/bed.ts';

const MIB = 1024 * 1024;

/** What tests under test/clusters/ share. Each starts when the first test asks for it (clusters.ts). */
const kinds = {
  /** Two realms that do not trust each other. */
  K: { kerberos: { realm: 'ONE.TEST' } },
  L: { kerberos: { realm: 'TWO.TEST' }, httpfs: true },
  /** Tokens that live for seconds. */
  T: { kerberos: { realm: 'SHORT.TEST' }, tokenLife: { renewMs: 4000, maxMs: 20_000 } },
  H: { ha: true },
  /** Fails over again and again: for the tests of that alone. */
  F: { ha: true },
  E: { encryptionZones: { '/ez': 'k1', '/ez2': 'k2' } },
  X: { datanodes: 3, replication: 2, blockBytes: 2 * MIB, erasureCoding: { '/ec': 'XOR-2-1-1024k' } },
  A: { httpfs: true, blockBytes: MIB },
  B: { blockBytes: 4 * MIB },
  /** Of the older release that is still in wide use. */
  O: { version: '3.3.6', httpfs: true, blockBytes: MIB },
  /** TLS, and nothing else. */
  S: { tls: true },
  /** A certificate for another host. */
  W: { tlsName: 'elsewhere.test' },
} satisfies Record<string, Omit<ClusterOptions, 'name'> & Pick<BedOptions, 'version'>>;

export type ClusterName = keyof typeof kinds;

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where clusters.ts asks for clusters. */
    clustersBed: string;
  }
}

const isName = (text: string | undefined): text is ClusterName => text !== undefined && text in kinds;

/** Serves the clusters to the processes of all test files: GET /NAME, POST /NAME/kill|start|active/DAEMON. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const beds = new Map<ClusterName, Promise<Bed>>();
  const bedOf = (name: ClusterName): Promise<Bed> => {
    const { version, ...kind }: Omit<ClusterOptions, 'name'> & Pick<BedOptions, 'version'> = kinds[name];
    const bed = beds.get(name) ?? startBed({ clusters: [{ name, ...kind }], ...(version ? { version } : {}) });
    beds.set(name, bed);
    return bed;
  };
  const answer = async (path: string): Promise<unknown> => {
    const [, name, action, daemon = ''] = path.split('/');
    if (!isName(name)) throw new Error(`no cluster is named ${name}`);
    const bed = await bedOf(name);
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
  provide('clustersBed', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    const started = await Promise.allSettled(beds.values());
    await Promise.all(started.map(async (bed) => bed.status === 'fulfilled' && bed.value.stop()));
  };
}
