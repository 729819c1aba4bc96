import { messageOf, StateError } from '../errors.ts';

/** Does what reads or writes this machine's records of jobs. @throws StateError for what SQLite or the system refuses */
export function told<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw stateError(error);
  }
}

export async function toldLater<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw stateError(error);
  }
}

function stateError(error: unknown): unknown {
  if (!(error instanceof Error && ('errcode' in error || 'syscall' in error))) return error;
  const remedy = 'make room on that disk, or name another directory with $HDFS_FANOUT_HOME';
  return new StateError(`cannot keep the records of jobs: ${messageOf(error)}`, remedy, error);
}
