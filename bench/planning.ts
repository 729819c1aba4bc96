// Listing a tree before anything is copied: hdfs-fanout's plan against DistCp's copy listing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describeListing, type ListingCase, listedPathsOf } from './cases.ts';
import { type Arena, atOnce } from './contestants.ts';
import type { Say } from './copying.ts';
import { javaCommand } from './hadoop.ts';
import { type Command, measure } from './measure.ts';
import type { ListingMeasured, ListingResult } from './results.ts';
import { playRounds } from './rounds.ts';
import { snapshotListers } from './snapshot.ts';
import { layOut } from './trees.ts';
import { unchangedListers } from './unchanged.ts';

/** What both print last; DistCp counts directories as well. */
export interface Told {
  readonly files?: number;
  readonly paths?: number;
  readonly seconds: number;
}

/** A destination that does not exist: only the source is listed. */
const nowhere = '/nothing-here';

const planCommand = ({ configFile }: Arena, root: string): Command => ({
  program: process.execPath,
  args: [join(import.meta.dirname, 'plan.ts'), configFile, root, nowhere],
});

const listingCommand = ({ source, destination, scratch }: Arena, root: string, threads: number): Promise<Command> => {
  const [from, to] = [source, destination].map(({ namenodeUrl }) => namenodeUrl.replace('http:', 'webhdfs:'));
  const args = [`${from}${root}`, `${to}${nowhere}`, join(scratch, 'listing'), String(threads)];
  return javaCommand(join(scratch, 'hadoop'), join(import.meta.dirname, 'Listing.java'), args);
};

const supportFile = (name: string): string => join(import.meta.dirname, '../test/support', name);

/** Far more files than a namenode holds here: what planning needs of memory does not depend on their number. */
const onEndless = async <T>(of: ListingCase, work: (command: Command) => Promise<T>): Promise<T> => {
  const args = [supportFile('endless-namenode.ts'), String(of.directories * of.filesEach)];
  const namenode = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(namenode.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${port.toString().trim()}`;
    return await work({ program: process.execPath, args: [supportFile('planner.ts'), url] });
  } finally {
    namenode.kill();
  }
};

const requireListed = ({ files, paths = 0 }: Told, { directories, filesEach }: ListingCase): void => {
  const wanted = directories * filesEach;
  const listed = files ?? paths - directories;
  if (listed !== wanted) throw new Error(`${listed} files were listed, of ${wanted}`);
};

export const listCase = async (
  of: ListingCase,
  arena: Arena,
  servers: readonly number[],
  rounds: number,
  say: Say,
): Promise<ListingResult> => {
  say(`${of.name}: ${describeListing(of)}`);
  const plan = { name: 'plan', title: 'hdfs-fanout plan' };
  if (of.name === 'endless') {
    return onEndless(of, (command) => play(of, [{ ...plan, command: () => command }], servers, rounds, say));
  }
  if (of.name === 'unchanged') return play(of, await unchangedListers(of, arena, servers), servers, rounds, say);
  if (of.name === 'snapshot') return play(of, await snapshotListers(of, arena), servers, rounds, say);
  const root = `/lists/${of.name}`;
  await layOut(arena.source, root, listedPathsOf(of), 0);
  const entrants = [
    { ...plan, command: () => planCommand(arena, root) },
    { name: 'listing', title: 'DistCp listing, 1 thread', command: () => listingCommand(arena, root, 1) },
    { name: 'listing-10', title: 'DistCp listing, 10 threads', command: () => listingCommand(arena, root, atOnce) },
  ];
  return play(of, entrants, servers, rounds, say);
};

export interface Lister {
  readonly name: string;
  readonly title: string;
  readonly command: () => Command | Promise<Command>;
  /** How to read what it prints, where that is not a line of `Told`; `nothing`: its whole time counts. */
  readonly told?: ((stdout: string) => Told) | 'nothing';
}

const toldByLine = (stdout: string): Told => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Told;

const play = async (
  of: ListingCase,
  listers: readonly Lister[],
  servers: readonly number[],
  rounds: number,
  say: Say,
): Promise<ListingResult> => {
  const entrants = listers.map(({ command, told: read = toldByLine, ...entrant }) => ({
    ...entrant,
    run: async (): Promise<ListingMeasured> => {
      const { measured, stdout } = await measure(await command(), servers);
      if (read === 'nothing') return { ...measured, listingSeconds: measured.wallSeconds };
      const told = read(stdout);
      requireListed(told, of);
      return { ...measured, listingSeconds: told.seconds };
    },
  }));
  const rows = await playRounds(entrants, rounds, (round, title, outcome) => {
    const told = typeof outcome === 'string' ? `failed: ${outcome}` : `${outcome.listingSeconds.toFixed(2)} s`;
    say(`  ${round === 0 ? 'warm-up' : `round ${round}`}  ${title.padEnd(26)} ${told}`);
  });
  return { case: of, rows };
};
