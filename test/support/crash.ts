import { setTimeout as sleep } from 'node:timers/promises';
import { type CliOptions, type CliResult, newHome, runCli, startCli } from './cli.ts';
import { CompletenessPoll } from './completeness-poll.ts';
import type { TestHdfs } from './hdfs.ts';
import { content } from './odd-tree.ts';

const FILES = 240;
/** Mostly small, and every fortieth long enough to be killed half-way. */
const lengths = Array.from({ length: FILES }, (_, i) => (i % 40 === 0 ? 12_000_000 : 1 + ((i * 7919) % 300_000)));

export const crashTree = { files: FILES, bytes: lengths.reduce((sum, length) => sum + length, 0) };

/** Makes `/crash`. @returns what it holds */
export async function makeCrashTree(hdfs: TestHdfs): Promise<Record<string, string>> {
  for (let i = 0; i < lengths.length; i += 16) {
    const puts = lengths.slice(i, i + 16).map((length, j) => {
      const name = `/crash/d${(i + j) % 7}/f${i + j}`;
      return hdfs.put(name, content(name, length));
    });
    await Promise.all(puts);
  }
  return hdfs.tree('/crash');
}

export interface Crash {
  /** What the last resume printed. */
  readonly last: CliResult;
  /** Names at which a reader saw a part of a file. */
  readonly partial: readonly string[];
  readonly polls: number;
}

/**
 * Copies `/crash`, kills the process by `kill -9` when this share of the files stands at the destination, kills the
 * resumed one a moment later, and resumes again. A reader looks at the destination all the while.
 */
export async function crash(
  destination: TestHdfs,
  path: string,
  source: Record<string, string>,
  share: number,
  conf: string,
): Promise<Crash> {
  const options: CliOptions = { conf, home: newHome() };
  const poll = new CompletenessPoll(destination, path, source);
  const { child, ended } = startCli(['copy', '--silent', 'A:/crash', `B:${path}`], options);
  const polling = poll.start();
  await poll.until(share);
  child.kill('SIGKILL');
  await ended;
  const jobs = await runCli(['jobs', '--json'], options);
  const { Job: job } = JSON.parse(jobs.stdout) as { Job: string };
  const second = startCli(['copy', '--resume', job], options);
  await sleep(300 + Math.random() * 700);
  second.child.kill('SIGKILL');
  await second.ended;
  const last = await runCli(['copy', '--silent', '--resume', job], options);
  poll.stop();
  await polling;
  return { last, partial: poll.partial, polls: poll.polls };
}
