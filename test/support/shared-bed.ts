import type { TestProject } from 'vitest/node';
import { startBed } from '../bed/bed.ts';
import { runWide } from './run-wide.ts';

const MIB = 1024 * 1024;

/** What tests know of the pair of clusters that they share. Each test keeps to a directory of its own there. */
export interface SharedBed {
  /** Cluster configuration that names A and B. */
  readonly configFile: string;
  /** Namenode URLs. */
  readonly a: string;
  readonly b: string;
  /** RPC addresses of the namenodes. */
  readonly rpcA: string;
  readonly rpcB: string;
  /** URL of an HttpFS before A. */
  readonly httpFs: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    bed: SharedBed;
  }
}

/** Deleted files wait for a day. */
export const trashOn = { 'fs.trash.interval': '1440' };

/** Starts clusters A, with an HttpFS, and B, which has a trash, whose default block sizes differ, for all test files of all projects. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { value, stop } = await runWide('pair', async () => {
    const bed = await startBed({
      clusters: [
        { name: 'A', blockBytes: MIB, httpfs: true },
        { name: 'B', blockBytes: 4 * MIB, extraCore: trashOn },
      ],
    });
    const { A, B } = bed.clusters;
    const shared: SharedBed = {
      configFile: bed.configFile,
      a: A.namenodeUrl,
      b: B.namenodeUrl,
      rpcA: A.rpc,
      rpcB: B.rpc,
      httpFs: A.httpfs?.url ?? '',
    };
    return { value: shared, stop: () => bed.stop() };
  });
  provide('bed', value);
  return stop;
}
