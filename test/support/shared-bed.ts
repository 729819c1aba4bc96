import type { TestProject } from 'vitest/node';
import { startBed } from '../bed/bed.ts';

const MIB = 1024 * 1024;

/** What tests know of the pair of clusters that they share. Each test keeps to a directory of its own there. */
export interface SharedBed {
  /** Cluster configuration that names A and B. */
  readonly configFile: string;
  /** Namenode URLs. */
  readonly a: string;
  readonly b: string;
  /** RPC address of A's namenode. */
  readonly rpcA: string;
  /** Directory of the configuration of A's namenode. */
  readonly sitesA: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    bed: SharedBed;
  }
}

/** Starts clusters A and B, whose default block sizes differ, for all test files. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const bed = await startBed({
    clusters: [
      { name: 'A', blockBytes: MIB },
      { name: 'B', blockBytes: 4 * MIB },
    ],
  });
  const { A, B } = bed.clusters;
  const sitesA = A.daemons[0]?.configuration ?? '';
  provide('bed', { configFile: bed.configFile, a: A.namenodeUrl, b: B.namenodeUrl, rpcA: A.rpc, sitesA });
  return () => bed.stop();
}
