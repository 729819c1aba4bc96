import { normalize, join } from '../storage/path.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import { attributes } from './attributes.ts';
import { authentication } from './authentication.ts';
import { certificates } from './certificates.ts';
import { clock } from './clock.ts';
import { connections } from './connections.ts';
import { Context, type Examination } from './context.ts';
import { datanodes } from './datanodes.ts';
import { hostNames } from './host-names.ts';
import { namenodeState } from './namenode-state.ts';
import { path } from './path.ts';
import type { Row } from './row.ts';
import { snapshots } from './snapshots.ts';
import { space } from './space.ts';
import { version } from './version.ts';
import { writing } from './writing.ts';

/** Time for all checks, without the deletion of what they wrote. */
const TOTAL_MS = 23_000;

const checks = [
  hostNames,
  connections,
  certificates,
  authentication,
  namenodeState,
  version,
  clock,
  path,
  attributes,
  snapshots,
  datanodes,
  writing,
  space,
];

/**
 * Looks at a cluster step by step, as a copy would come across it. A step that fails does not stop those that do not need it. Ends
 * in less than 30 s, and leaves nothing behind on the cluster.
 *
 * @param emit  is given each row when it is known
 * @throws SpecError when the definition is wrong
 */
export async function examine(examination: Examination, signal: AbortSignal, emit: (row: Row) => void): Promise<void> {
  const context = new Context(examination, AbortSignal.any([signal, AbortSignal.timeout(TOTAL_MS)]), emit);
  try {
    for (const check of checks) await check(context);
  } finally {
    await context.close();
  }
}

/** PATH as the user wrote it: relative to the cluster's root. */
export function examinedPath({ root = '/' }: Cluster, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  return normalize(given.startsWith('/') ? given : join(normalize(root), given));
}
