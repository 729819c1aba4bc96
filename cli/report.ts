import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import packageJson from '../package.json' with { type: 'json' };
import { messageOf, printable, SpecError } from '../shared/errors.ts';
import { makeReport } from '../shared/report/make-report.ts';
import { page } from '../shared/report/page.ts';
import { shellQuoted } from '../shared/shell-quoted.ts';
import { exitCodes } from './exit-codes.ts';
import { knownJob, openRecords, statusOf } from './job-records.ts';
import { printNote } from './output.ts';
import { requirePlace } from './place.ts';

interface ReportFlags {
  output?: string;
  json: boolean;
  stack?: string;
}

/** `hdfs-fanout report JOB`: one page of what a job did, or the same as JSON on stdout. @returns the exit code */
export async function report(id: string, { output, json, stack }: ReportFlags): Promise<number> {
  if (output !== undefined && output !== '-') requirePlace('--output', output);
  const records = await openRecords(stack);
  const job = await knownJob(records, id);
  const status = await statusOf(records, job);
  const { store, lines, suffix } = records;
  const command = stack === undefined ? 'copy --resume' : 'retry';
  const made = await makeReport({
    job: (await store.get(id)) ?? job,
    status,
    store,
    lines: lines(),
    madeBy: `hdfs-fanout ${packageJson.version}`,
    nowMs: Date.now(),
    again: (cause) => `hdfs-fanout ${command} ${id} --only ${shellQuoted(cause)}${suffix}`,
  });
  const text = json ? `${JSON.stringify(made)}\n` : page(made);
  const file = output ?? (json ? '-' : `hdfs-fanout-${id}.html`);
  if (file === '-') process.stdout.write(text);
  else {
    await writeWhole(file, text);
    printNote(`the report of the job ${id} is in ${printable(file)}`);
  }
  return exitCodes.success;
}

/** Writes a file that is there as a whole or not at all; what is no file, such as a pipe, is written as it is. @throws SpecError when it cannot be written */
async function writeWhole(file: string, text: string): Promise<void> {
  let beside: string | undefined;
  try {
    const there = await stat(file).catch(() => undefined);
    if (there && !there.isFile()) return await writeFile(file, text);
    const target = there ? await realpath(file) : file;
    beside = `${target}.${randomUUID().slice(0, 8)}.tmp`;
    await writeFile(beside, text);
    await rename(beside, target);
  } catch (error) {
    if (beside !== undefined) await rm(beside, { force: true }).catch(() => undefined);
    throw new SpecError(`--output ${printable(file)}: ${messageOf(error)}`, 'name a file that can be written');
  }
}
