import type { Deployment } from '../shared/aws/deployment.ts';
import type { Told } from '../shared/dry-run/told.ts';
import { jobStatus } from '../shared/job/job-status.ts';
import { adviceOn } from './advice.ts';
import { reportOf } from './aws-report.ts';
import { printTold, printTotals } from './dry-run-text.ts';
import { exitCodes } from './exit-codes.ts';
import { printError, readerGone } from './output.ts';

/** Tells what a dry run in AWS has decided, as one of this machine would. @returns the exit code */
export async function tellDryRun(deployment: Deployment, id: string, json: boolean): Promise<number> {
  const { store, stack } = deployment;
  const job = await store.get(id);
  if (!job) return exitCodes.stopped;
  const status = jobStatus(job, await store.counters(id));
  const { message, code } = adviceOn(status, stack);
  if (job.phase !== 'done') {
    printError(message ?? 'it did not come to its end', json);
    return code;
  }
  for await (const line of reportOf(deployment, job)) {
    if (readerGone.aborted) return exitCodes.success;
    printTold(JSON.parse(line) as Told, json);
  }
  const { 'Would Do': would = {}, 'Files Not Split': notSplit = {}, 'Filtered Out': filtered = {} } = status;
  printTotals({ would, notSplit, filtered }, json);
  if (message !== undefined) printError(message, json);
  return code;
}
