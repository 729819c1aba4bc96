import { CommanderError } from 'commander';
import { FanoutError, messageOf, SpecError } from '../shared/errors.ts';

/** The exit codes of all commands, as `--help` and the README list them. Few and stable; any other code is a failure too. */
export const exitCodes = {
  success: 0,
  someFailed: 1,
  usage: 2,
  stopped: 3,
  /** Given by `status` alone, for a job at work or one that is planned. Not 0, since `status JOB && …` must not go on before the copy has ended. */
  running: 4,
  interrupted: 130,
} as const;

/** Of commands that copy nothing themselves. */
export const checkCodesHelp = `
Exit codes:
  0    done; nothing that was checked failed
  2    bad usage or configuration
  3    a check failed
  130  interrupted`;

export const exitCodesHelp = `
Exit codes:
  0    every file was copied or skipped
  1    some files failed: hdfs-fanout status JOB --failures
  2    bad usage or configuration: nothing was asked of a cluster
  3    the job could not go on
  130  interrupted: hdfs-fanout copy --resume JOB`;

export const statusCodesHelp = exitCodesHelp.replace(
  '  130',
  '  4    the job is still running, or planned and not run yet\n  130',
);

const awsCodes = (success: string) => `
Exit codes:
  0    ${success}
  1    some files failed: hdfs-fanout status JOB --failures --stack NAME
  2    bad usage or configuration: nothing was asked of a cluster
  3    the job could not go on
  130  interrupted: the job goes on, and hdfs-fanout watch JOB shows it`;

/** Of commands that start a job in AWS. */
export const startCodesHelp = awsCodes('every file was copied or skipped; without --wait: it was started');

export const watchCodesHelp = awsCodes('every file was copied or skipped');

export const setCodesHelp = `
Exit codes:
  0    the limits are set
  2    bad usage, or the job has ended: nothing was changed
  3    they could not be set`;

export const verifyCodesHelp = `
Exit codes:
  0    the trees are equal, as far as the level tells
  1    they differ
  2    bad usage or configuration: nothing was asked of a cluster
  3    it could not tell of everything, whatever else differs
  130  interrupted`;

export const undoCodesHelp = `
Exit codes:
  0    all is as it was before the job, or nothing was to be changed
  1    something was left: it has changed since, or cannot come back
  2    bad usage or configuration: nothing was asked of a cluster
  3    it could not go on: undo JOB again
  130  interrupted: undo JOB again`;

export const estimateCodesHelp = `
Exit codes:
  0    nothing that was found stands in the way of a copy
  1    some files would fail, no deletion would be done, or room is lacking
  2    bad usage or configuration: nothing was asked of a cluster
  3    it could not go on
  130  interrupted`;

/** One line for a person, and the exit code that goes with it. */
export function explain(error: unknown): { message: string; code: number } {
  if (error instanceof CommanderError) {
    // Help was printed in place of a command that only holds others.
    if (error.code === 'commander.help') return { message: 'name one of these commands', code: exitCodes.usage };
    return {
      message: `${messageOf(error).replace(/^error: /, '')} (see hdfs-fanout COMMAND --help)`,
      code: exitCodes.usage,
    };
  }
  if (error instanceof SpecError) return { message: error.message, code: exitCodes.usage };
  if (error instanceof FanoutError) return { message: error.message, code: exitCodes.stopped };
  return { message: `unexpected error: ${messageOf(error)}`, code: exitCodes.stopped };
}
