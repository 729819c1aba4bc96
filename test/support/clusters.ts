import { request } from 'undici';
import { inject } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import type { ClusterName } from './clusters-bed.ts';

const START_MS = 240_000;

async function ask(method: 'GET' | 'POST', path: string): Promise<Cluster> {
  const limits = { headersTimeout: START_MS, bodyTimeout: START_MS };
  const { statusCode, body } = await request(`${inject('clustersBed')}${path}`, { method, ...limits });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(text);
  return JSON.parse(text) as Cluster;
}

/**
 * A cluster that all test files share, started by the first that asks: ask in beforeAll, with time to start. Each test
 * keeps to a directory of its own there.
 */
export function sharedCluster(name: ClusterName): Promise<Cluster> {
  return ask('GET', `/${name}`);
}

/** Ends a daemon with a JVM of its own, as kill -9 does: those of F's namenodes, of A-httpfs, of E-kms. */
export async function killShared(name: ClusterName, daemon: string): Promise<void> {
  await ask('POST', `/${name}/kill/${daemon}`);
}

/** Resolves when it is of use again. */
export async function startShared(name: ClusterName, daemon: string): Promise<void> {
  await ask('POST', `/${name}/start/${daemon}`);
}

/** F-nn1 or F-nn2. */
export async function makeActiveShared(namenode: string): Promise<void> {
  await ask('POST', `/F/active/${namenode}`);
}
