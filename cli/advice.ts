import type { JobStatus } from '../shared/job/job-status.ts';
import { exitCodes } from './exit-codes.ts';
import { verifyCodes } from './verify-text.ts';

/** What a person is told about a job besides its status, and the exit code of the job. */
export interface Advice {
  /** Undefined when there is nothing to do. */
  readonly message: string | undefined;
  readonly code: number;
}

/** @param stack  where the job runs, if not on this machine */
export function adviceOn(status: JobStatus, stack?: string): Advice {
  const { Job: id, Outcome: outcome, Phase: phase, Error: error } = status;
  if (outcome === 'Running') return { message: undefined, code: exitCodes.running };
  const looked = ofLooking(status);
  if (looked) return looked;
  if (outcome === 'Successful') return { message: undefined, code: exitCodes.success };
  const suffix = stack === undefined ? '' : ` --stack ${stack}`;
  const onward = stack === undefined ? `hdfs-fanout copy --resume ${id}` : `hdfs-fanout retry ${id}${suffix}`;
  const goOn = status.Undone === undefined ? `go on with: ${onward}` : undoneAdvice(id, status.Undone);
  if (outcome === 'Planned') return { message: `planned, and nothing is copied yet; ${goOn}`, code: exitCodes.success };
  if (outcome === 'Interrupted') return { message: `interrupted; ${goOn}`, code: exitCodes.interrupted };
  if (phase !== 'done') return { message: `${error ?? 'it could not go on'}; ${goOn}`, code: exitCodes.stopped };
  const failed = status['Files Failed'];
  const undeleted = status['Deletes Failed'] ?? 0;
  const which = [failed > 0 ? `${failed} files failed` : '', undeleted > 0 ? `${undeleted} deletions failed` : ''];
  const told = which.filter((what) => what !== '').join(', ');
  const meanwhile = Object.entries(status['Failed Meanwhile'] ?? {}).map(([what, files]) => `${files} ${what}`);
  const live =
    meanwhile.length > 0 ? [`${meanwhile.join(' and ')} while the job ran, which is no failure with --live`] : [];
  const failures = told === '' ? [] : [`${told}: hdfs-fanout status ${id} --failures${suffix}`];
  return { message: [...failures, ...live, error ?? goOn].join('; '), code: exitCodes.someFailed };
}

/** What was taken back is no job to go on with. */
function undoneAdvice(id: string, undone: string): string {
  return undone.endsWith('in part')
    ? `it was undone in part: hdfs-fanout undo ${id} takes back what it can of the rest`
    : 'it was undone: start a new copy';
}

/** What is to be said of a job that only looks. */
function ofLooking({
  Verification: summary,
  'Would Do': would,
  Phase: phase,
  Error: error,
}: JobStatus): Advice | undefined {
  if (!summary && !would) return undefined;
  if (phase !== 'done')
    return { message: `${error ?? 'it did not come to its end'}; start it anew`, code: exitCodes.stopped };
  if (summary) return { message: error, code: verifyCodes[summary.outcome] };
  if (would?.['fail']) return { message: undefined, code: exitCodes.someFailed };
  return { message: error, code: error === undefined ? exitCodes.success : exitCodes.stopped };
}
