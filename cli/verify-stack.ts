import type { Deployment } from '../shared/aws/deployment.ts';
import { SpecError } from '../shared/errors.ts';
import { jobStatus } from '../shared/job/job-status.ts';
import type { Finding } from '../shared/verify/finding.ts';
import { adviceOn } from './advice.ts';
import { reportOf, writeReport } from './aws-report.ts';
import { exitCodes } from './exit-codes.ts';
import { verifySpecOf } from './options.ts';
import { printError, printEvent, printNote } from './output.ts';
import { requirePlace } from './place.ts';
import { begin } from './start.ts';
import type { VerifyFlags } from './verify.ts';
import { findingsText, SHOWN, summaryText, verifyCodes } from './verify-text.ts';
import { follow } from './watch.ts';

/** `hdfs-fanout verify SOURCE DESTINATION --stack`: the comparisons are fanned out in AWS. @returns the exit code */
export async function verifyInAws(source: string, destination: string, flags: VerifyFlags): Promise<number> {
  const stack = stackOf(flags.stack);
  const { level, oneWay, report, silent } = flags;
  const isJson = flags.json || report === '-';
  const file = report === '-' ? undefined : report;
  for (const [flag, value] of [
    ['--conf', flags.conf],
    ['--log-file', flags.logFile],
  ] as const)
    if (value !== undefined) throw new SpecError(`${flag} is of no use beside --stack`, `leave out ${flag}`);
  const spec = { ...verifySpecOf(source, destination, flags, { level, oneWay }) };
  if (file !== undefined) requirePlace('--report', file);
  const { deployment, id, execution } = await begin(spec, stack);
  if (isJson) printEvent('started', { job: id, execution });
  else if (!silent) printNote(`job ${id}`);
  return follow(deployment, id, execution, { json: isJson, silent }, () => tellEnd(deployment, id, isJson, file));
}

function stackOf(given: string | true | undefined): string {
  if (typeof given !== 'string') return process.env['HDFS_FANOUT_STACK'] ?? 'HdfsFanout';
  if (given.includes(':')) throw new SpecError(`--stack took ${given} for its name`, 'write --stack behind both paths');
  return given;
}

async function tellEnd(deployment: Deployment, id: string, json: boolean, file: string | undefined): Promise<number> {
  const { store, stack } = deployment;
  const job = await store.get(id);
  if (!job) return exitCodes.stopped;
  const status = jobStatus(job, await store.counters(id));
  const { Verification: summary, Duration: seconds } = status;
  if (job.phase !== 'done' || !summary) {
    printError(job.error ?? adviceOn(status, stack).message ?? 'it did not come to its end', json);
    return exitCodes.stopped;
  }
  if (file !== undefined) await writeReport(deployment, job, file);
  if (json) {
    await writeReport(deployment, job, '-');
    return verifyCodes[summary.outcome];
  }
  const shown: Finding[] = [];
  let more = 0;
  for await (const line of reportOf(deployment, job)) {
    const finding = JSON.parse(line) as Finding | { readonly type: 'summary' };
    if (finding.type === 'summary') break;
    if (shown.length < SHOWN) shown.push(finding);
    else more += 1;
  }
  const where = file ?? `hdfs-fanout status ${id} --report FILE --stack ${stack} tells of all`;
  if (shown.length > 0) process.stdout.write(`${findingsText(shown, more, where)}\n`);
  process.stdout.write(summaryText(summary, seconds));
  return verifyCodes[summary.outcome];
}
