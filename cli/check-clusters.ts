import { examine } from '../shared/doctor/doctor.ts';
import type { Row } from '../shared/doctor/row.ts';
import { printable, SpecError } from '../shared/errors.ts';
import { type Cluster, clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { endSoon } from './doctor.ts';
import { exitCodes } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { printEvent } from './output.ts';

/**
 * `hdfs-fanout clusters check [CLUSTER…]`: the checks of `doctor` that write nothing, a line for each cluster: the first that failed, or
 * what warns. @returns the exit code
 */
export async function checkClusters(
  names: readonly string[],
  flags: { conf?: string; json: boolean },
): Promise<number> {
  const file = clustersFile(flags.conf);
  const defined = loadClusters(file);
  const chosen = names.length > 0 ? names : [...defined.keys()];
  const unknown = chosen.find((name) => !defined.has(name));
  if (unknown !== undefined) {
    throw new SpecError(`no cluster "${unknown}" in ${file}`, `it defines ${[...defined.keys()].join(', ')}`);
  }
  const interrupt = interruptSignal();
  let allWell = true;
  try {
    for (const name of chosen) {
      const cluster = defined.get(name);
      if (!cluster) continue;
      const rows = await rowsOf(cluster, interrupt);
      if (interrupt.aborted) return exitCodes.interrupted;
      const worst = rows.find(({ state }) => state === 'failed') ?? rows.find(({ state }) => state === 'warning');
      allWell &&= worst?.state !== 'failed';
      const state = worst?.state ?? 'ok';
      if (flags.json)
        printEvent('cluster', { name, state, ...(worst ? { check: worst.name, found: worst.found } : {}) });
      else process.stdout.write(`${state.padEnd(8)} ${name.padEnd(20)} ${worst ? textOf(worst) : ''}`.trimEnd() + '\n');
    }
  } finally {
    endSoon();
  }
  return allWell ? exitCodes.success : exitCodes.stopped;
}

async function rowsOf(cluster: Cluster, signal: AbortSignal): Promise<readonly Row[]> {
  const rows: Row[] = [];
  await examine({ cluster, path: undefined, readOnly: true }, signal, (row) => rows.push(row));
  return rows;
}

function textOf({ name, target, found }: Row): string {
  return `${name} ${target}: ${printable(found)}`;
}
