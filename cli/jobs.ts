import type { JobStatus } from '../shared/job/job-status.ts';
import { printable } from '../shared/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { openRecords, statusOf } from './job-records.ts';
import { printEvent } from './output.ts';
import type { Job } from '../shared/job/job.ts';

/** `hdfs-fanout jobs`: newest first, two lines each. */
export async function jobs(flags: { limit: number; json: boolean; stack?: string }): Promise<number> {
  const records = await openRecords(flags.stack);
  const width = process.stdout.isTTY ? process.stdout.columns || 80 : Infinity;
  const found = await records.store.list(flags.limit);
  if (found.length > 0 && !flags.json) process.stdout.write(`${heading}\n`);
  for (const job of found) {
    const status = await statusOf(records, job);
    if (flags.json) printEvent('status', status);
    else process.stdout.write(`${jobLines(job, status, width).join('\n')}\n`);
  }
  return exitCodes.success;
}

/** Columns of a job's first line, which fits 80 characters. A negative width aligns to the right. */
const columns = [
  ['JOB', 22],
  ['STATE', 11],
  ['AGE', -5],
  ['TOOK', -5],
  ['FILES', -11],
  ['DONE', -4],
  ['SIZE', -5],
  ['RATE', -7],
] as const;

const heading = row(columns.map(([name]) => name));

/** @param width  of the terminal, to which the paths are cut */
export function jobLines(job: Job, status: JobStatus, width: number, nowMs = Date.now()): [string, string] {
  const overtaken = (status['Files Vanished'] ?? 0) + (status['Files Changed'] ?? 0);
  const compared = status['Files Compared'] ?? 0;
  // What failed is not done: a resume takes it up again.
  const settled = status['Files Copied'] + status['Files Skipped'] + overtaken + compared;
  const expected = Math.max(status['Files Expected'], settled);
  const sizeOvertaken = (status['Size Vanished'] ?? 0) + (status['Size Changed'] ?? 0);
  const sizeCompared = status['Size Compared'] ?? 0;
  const bytes = status['Size Copied'] + status['Size Skipped'] + sizeOvertaken + sizeCompared;
  const planned = job.phase !== 'planning';
  const share = status['Size Expected'] > 0 ? bytes / status['Size Expected'] : expected > 0 ? settled / expected : 1;
  const first = row([
    job.id,
    job.undone?.isWhole ? 'Undone' : status.Outcome,
    tookText(Math.max(0, nowMs - job.startedAtMs) / 1000),
    tookText(status.Duration),
    planned ? `${count(settled)}/${count(expected)}` : 'planning',
    planned ? `${Math.floor(Math.min(1, share) * 100)}%` : '',
    planned ? shortBytes(status['Size Expected']) : '',
    status.Throughput > 0 ? `${shortBytes(status.Throughput)}/s` : '',
  ]);
  const limits = Object.entries(status.Limits ?? {}).map(([name, limit]) => ` ${name}: ${limit}`);
  const what = job.spec.verify ? 'verify ' : job.spec.dryRun ? 'dry run ' : '';
  const paths = `  ${what}${printable(job.spec.source.join(' '))} -> ${printable(job.spec.destination)}${limits.join('')}`;
  return [first, paths.length <= width ? paths : `${paths.slice(0, width - 1)}…`];
}

function row(cells: readonly string[]): string {
  const padded = columns.map(([, width], index) => {
    const cell = cells[index] ?? '';
    return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
  });
  return padded.join(' ').trimEnd();
}

/** A duration in at most five characters: `7s`, `59:59`, `1h02m`, `23h`, `4d05h`. */
export function tookText(seconds: number): string {
  const [whole, two] = [Math.round(seconds), (value: number) => String(value).padStart(2, '0')];
  const [minutes, hours, days] = [Math.floor(whole / 60), Math.floor(whole / 3600), Math.floor(whole / 86_400)];
  if (minutes < 1) return `${whole}s`;
  if (hours < 1) return `${minutes}:${two(whole % 60)}`;
  if (hours < 10) return `${hours}h${two(minutes % 60)}m`;
  if (days < 1) return `${hours}h`;
  return days < 10 ? `${days}d${two(hours % 24)}h` : `${days}d`;
}

/** A count of files in at most five characters: `9999`, `12.3k`, `50.0M`. */
export function count(files: number): string {
  if (files < 10_000) return String(files);
  const [value, unit] = files < 999_500 ? [files / 1000, 'k'] : [files / 1_000_000, 'M'];
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

/** A size in at most five characters: `999B`, `1.0K`, `198M`, `12.3T` (multiples of 1,024). */
export function shortBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 999.5 && unit < 6; unit++) value /= 1024;
  const number = unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1);
  return `${number}${'BKMGTPE'.charAt(unit)}`;
}
