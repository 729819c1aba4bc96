import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CliOptions, type CliResult, newHome, runCli, startCli } from './cli.ts';
import { CompletenessPoll } from './completeness-poll.ts';
import type { TestHdfs } from './hdfs.ts';
import { content } from './odd-tree.ts';
import { alive, copiersOf } from './processes.ts';

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
  /** What the last run printed. */
  readonly last: CliResult;
  /** Names at which a reader saw a part of a file. */
  readonly partial: readonly string[];
  readonly polls: number;
  /** Copier processes that were left behind. */
  readonly left: readonly number[];
}

/** A copy of `/crash` and a reader that looks at the destination all the while. */
class WatchedCopy {
  readonly #path: string;
  readonly #copiers: number;
  readonly #options: CliOptions;
  readonly poll: CompletenessPoll;
  readonly #polling: Promise<void>;
  readonly #seen: number[] = [];

  constructor(destination: TestHdfs, path: string, source: Record<string, string>, copiers: number, conf: string) {
    this.#path = path;
    this.#copiers = copiers;
    this.#options = { conf, home: newHome(), detached: true };
    this.poll = new CompletenessPoll(destination, path, source);
    this.#polling = this.poll.start();
  }

  begin() {
    return this.#start('A:/crash', `B:${this.#path}`);
  }

  async resume() {
    const jobs = await runCli(['jobs', '--json'], this.#options);
    const { Job: job } = JSON.parse(jobs.stdout) as { Job: string };
    return this.#start('--resume', job);
  }

  /** The processes that copy: the command's own when there is only one. */
  async copiersOf({ child }: ReturnType<typeof startCli>): Promise<readonly number[]> {
    const copiers = this.#copiers > 1 ? await copiersOf(child.pid, this.#copiers) : [];
    this.#seen.push(...copiers);
    return copiers;
  }

  async over(last: CliResult): Promise<Crash> {
    this.poll.stop();
    await this.#polling;
    return { last, partial: this.poll.partial, polls: this.poll.polls, left: alive(this.#seen) };
  }

  #start(...what: readonly string[]) {
    return startCli(['copy', '--silent', '--copiers', `${this.#copiers}`, ...what], this.#options);
  }
}

type Watch = ConstructorParameters<typeof WatchedCopy>;

/**
 * Copies `/crash`, kills the process by `kill -9` when this share of the files stands at the destination, kills the
 * resumed one a moment later, and resumes again, each time at once: its copiers may still be ending.
 */
export async function crash(share: number, ...watch: Watch): Promise<Crash> {
  const copy = new WatchedCopy(...watch);
  const first = copy.begin();
  await Promise.all([copy.poll.until(share), copy.copiersOf(first)]);
  await killed(first);
  const second = await copy.resume();
  await sleep(300 + Math.random() * 700);
  await killed(second);
  const last = await copy.resume();
  return copy.over(await last.ended);
}

/** Copies `/crash`, and kills a copier by `kill -9` when this share of the files stands at the destination, then another one of those that are there. */
export async function crashOfCopiers(share: number, ...watch: Watch): Promise<Crash> {
  const copy = new WatchedCopy(...watch);
  const command = copy.begin();
  const [copiers] = await Promise.all([copy.copiersOf(command), copy.poll.until(share)]);
  kill(copiers[0]);
  await sleep(Math.random() * 300);
  kill((await copy.copiersOf(command)).at(-1));
  return copy.over(await command.ended);
}

/** Copies `/crash`, presses Ctrl-C when this share of the files stands at the destination, and resumes. */
export async function interruption(share: number, ...watch: Watch): Promise<Crash & { readonly first: CliResult }> {
  const copy = new WatchedCopy(...watch);
  const command = copy.begin();
  await Promise.all([copy.poll.until(share), copy.copiersOf(command)]);
  // Which reaches the whole process group.
  process.kill(-(command.child.pid ?? NaN), 'SIGINT');
  const first = await command.ended;
  const resumed = await copy.resume();
  return { ...(await copy.over(await resumed.ended)), first };
}

async function killed({ child }: ReturnType<typeof startCli>): Promise<void> {
  // What was left to do near the end may be done by then.
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function kill(pid: number | undefined): void {
  if (pid === undefined) throw new Error('there is no copier');
  process.kill(pid, 'SIGKILL');
}
