import { examine, examinedPath } from '../shared/doctor/doctor.ts';
import { type Row, rowStates, type RowState } from '../shared/doctor/row.ts';
import { SpecError } from '../shared/errors.ts';
import { clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { rowText } from './doctor-table.ts';
import { exitCodes } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { printEvent } from './output.ts';

export interface DoctorFlags {
  conf?: string;
  readOnly: boolean;
  json: boolean;
  stack?: string;
}

/** For how long the process may outlive its last row, which a name server that does not answer would prolong. */
const LINGER_MS = 500;

/** Ends the process, with the code that was set, once its last row has had time to be shown. */
export function endSoon(): void {
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** `hdfs-fanout doctor CLUSTER [PATH]`, from here or from inside AWS. @returns the exit code */
export async function doctor(alias: string, path: string | undefined, flags: DoctorFlags): Promise<number> {
  const { json, stack, conf } = flags;
  if (stack !== undefined && conf !== undefined) {
    throw new SpecError('--conf and --stack do not go together', 'a stack has the definitions that were pushed to it');
  }
  const counts = new Map<RowState, number>();
  const show = (row: Row) => {
    counts.set(row.state, (counts.get(row.state) ?? 0) + 1);
    if (json) printEvent('check', row);
    else process.stdout.write(rowText(row));
  };
  const code =
    stack === undefined
      ? await examineHere(alias, path, flags, show)
      : await examineInAws(alias, path, stack, flags, show);
  const summary = Object.fromEntries(rowStates.map((state) => [state, counts.get(state) ?? 0]));
  if (json) printEvent('summary', summary);
  else process.stdout.write(`\n${rowStates.map((state) => `${summary[state] ?? 0} ${state}`).join(', ')}\n`);
  if (code !== undefined) return code;
  return counts.has('failed') ? exitCodes.stopped : exitCodes.success;
}

async function examineHere(
  alias: string,
  path: string | undefined,
  { conf, readOnly }: DoctorFlags,
  show: (row: Row) => void,
): Promise<number | undefined> {
  const file = clustersFile(conf);
  const clusters = loadClusters(file);
  const cluster = clusters.get(alias);
  if (!cluster)
    throw new SpecError(`no cluster "${alias}" in ${file}`, `it defines ${[...clusters.keys()].join(', ')}`);
  const interrupt = interruptSignal();
  try {
    await examine({ cluster, path: examinedPath(cluster, path), readOnly }, interrupt, show);
  } finally {
    endSoon();
  }
  return interrupt.aborted ? exitCodes.interrupted : undefined;
}

async function examineInAws(
  alias: string,
  path: string | undefined,
  stack: string,
  { readOnly }: DoctorFlags,
  show: (row: Row) => void,
): Promise<undefined> {
  const { findDeployment } = await import('../shared/aws/deployment.ts');
  const { doctor } = await findDeployment(stack);
  const rows = await doctor.examine({ cluster: alias, ...(path === undefined ? {} : { path }), readOnly });
  rows.forEach(show);
}
