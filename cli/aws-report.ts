import type { Deployment } from '../shared/aws/deployment.ts';
import { SpecError } from '../shared/errors.ts';
import type { Job } from '../shared/job/job.ts';
import { changesNothing } from '../shared/job/spec.ts';
import { linesFile } from '../shared/machine/lines-file.ts';
import { readerGone } from './output.ts';

/** The lines of what a job that only looks has found, as far as they are kept. */
export function reportOf({ reports }: Pick<Deployment, 'reports'>, { id, report }: Job): AsyncGenerator<string> {
  return reports().lines(id, report?.parts ?? 0);
}

/**
 * Writes it, as JSON Lines.
 * @param file  gets its name when it is whole; `-`: stdout
 * @throws SpecError for a job that copies, or has not come to its end
 */
export async function writeReport(deployment: Pick<Deployment, 'reports'>, job: Job, file: string): Promise<void> {
  if (!changesNothing(job.spec))
    throw new SpecError(
      `the job ${job.id} copies: it has no report`,
      'hdfs-fanout status JOB --failures tells of its files',
    );
  if (job.phase !== 'done')
    throw new SpecError(`the job ${job.id} has not come to its end`, 'wait for it, or start it anew');
  if (file === '-') {
    for await (const line of reportOf(deployment, job)) {
      if (readerGone.aborted) return;
      process.stdout.write(`${line}\n`);
    }
    return;
  }
  const written = await linesFile(file);
  try {
    for await (const line of reportOf(deployment, job)) await written.add(JSON.parse(line) as object);
    await written.close();
  } catch (error) {
    await written.discard();
    throw error;
  }
}
