import { printable, SpecError } from '../shared/errors.ts';
import { adviceOn } from './advice.ts';
import { writeReport } from './aws-report.ts';
import { exitCodes } from './exit-codes.ts';
import { type JobRecords, knownJob, ofStack, openRecords, statusOf } from './job-records.ts';
import { printEvent, printStatus } from './output.ts';
import { requirePlace } from './place.ts';

interface StatusFlags {
  failures: boolean;
  limit: number;
  after?: string;
  report?: string;
  json: boolean;
  stack?: string;
}

/** `hdfs-fanout status JOB [--failures]`. @returns the exit code that the job itself would give, or that it is still running */
export async function status(id: string, flags: StatusFlags): Promise<number> {
  if (flags.report !== undefined) return report(id, flags.report, flags.stack);
  const records = await openRecords(flags.stack);
  const job = await knownJob(records, id);
  if (flags.failures) return failures(records, id, flags);
  const current = await statusOf(records, job);
  printStatus(current, flags.json);
  const { message, code } = adviceOn(current, flags.stack);
  if (message !== undefined) process.stderr.write(`hdfs-fanout: ${message}\n`);
  // What comes behind `status JOB &&` is not meant for a job that nobody has run.
  return current.Outcome === 'Planned' ? exitCodes.running : code;
}

async function report(id: string, file: string, stack: string | undefined): Promise<number> {
  if (stack === undefined)
    throw new SpecError('jobs of this machine keep no report', 'name the deployment with --stack');
  if (file !== '-') requirePlace('--report', file);
  const { findDeployment } = await import('../shared/aws/deployment.ts');
  const deployment = await findDeployment(stack);
  await writeReport(deployment, await knownJob({ store: deployment.store, ...ofStack(stack) }, id), file);
  return exitCodes.success;
}

async function failures(
  { store, suffix }: JobRecords,
  id: string,
  { limit, after, json }: StatusFlags,
): Promise<number> {
  const page = await store.failures(id, limit, after);
  for (const { sequence, path, operation, host, reason, overtaken } of page) {
    if (json) printEvent('failure', { sequence, path, operation, host, reason, overtaken });
    else {
      const where = `${operation}${host ? ` on ${host}` : ''}`;
      process.stdout.write(`${printable(path)}\n    ${where}: ${printable(reason)}\n`);
    }
  }
  const last = page.at(-1);
  if (last && page.length === limit && !json) {
    // A sequence of DynamoDB's store holds a #, which can begin a comment in a shell.
    const after = /^\d+$/.test(last.sequence) ? last.sequence : `'${last.sequence}'`;
    process.stdout.write(`more: hdfs-fanout status ${id} --failures --after ${after}${suffix}\n`);
  }
  return exitCodes.success;
}
