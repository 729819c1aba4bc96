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
  /** URL of an HttpFS before A. */
  readonly httpFs: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    bed: SharedBed;
  }
}

/** Starts clusters A, with an HttpFS, and B, whose default block sizes differ, for all test files. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const bed = await startBed({
    clusters: [
      { name: 'A', blockBytes: MIB, httpfs: true },
      { name: 'B', blockBytes: 4 * MIB },
    ],
  });
  const { A, B } = bed.clusters;
  provide('bed', {
    configFile: bed.configFile,
    a: A.namenodeUrl,
    b: B.namenodeUrl,
    rpcA: A.rpc,
    httpFs: A.httpfs?.url ?? '',
  });
  return () => bed.stop();
}
