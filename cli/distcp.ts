import type { Command } from 'commander';
import { parseLocation } from '../shared/endpoints/location.ts';
import { SpecError } from '../shared/errors.ts';
import { clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { parseJobSpec } from '../shared/job/spec.ts';
import { silentLog } from '../shared/log.ts';
import { shellQuoted } from '../shared/shell-quoted.ts';
import { hasGlob } from '../shared/storage/pattern.ts';
import { endpointsOf } from './clusters.ts';
import { parseArguments } from './distcp/arguments.ts';
import { linesOfList } from './distcp/list.ts';
import { type Meaning, type Wish, wishOf } from './distcp/options.ts';
import { type Places, placesOf } from './distcp/places.ts';
import { locationOf } from './distcp/uri.ts';
import { exitCodes } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { printError, printEvent, printNote } from './output.ts';

/** What DistCp's command line asks for, as far as it can be told without asking a cluster. */
export interface Request {
  readonly wish: Wish;
  /** Flags of `copy` that were typed beside DistCp's. */
  readonly ours: readonly string[];
  /** As they were typed. */
  readonly sources: readonly string[];
  readonly target: string;
}

/** Flags of `copy` that say what DistCp's options, and its rules, say already. */
const DECIDED =
  '--src --dest --force --existing --exact --into --mkpath --no-checksum --pairs --files-from --files-only --resume';

/**
 * Reads DistCp's command line. Asks nothing, and reads no file.
 * @param copy  the command whose flags may stand beside DistCp's options
 * @throws SpecError for what cannot be done here, with what to do instead
 */
export function requestOf(words: readonly string[], copy: Command): Request {
  const takesValue = (flag: string) => {
    const option = copy.options.find(({ long }) => long === flag);
    return option && (option.required || option.optional);
  };
  const { options, ours, paths } = parseArguments(words, takesValue);
  const decided = ours.find((word) => DECIDED.split(' ').includes(word.replace(/=[^]*$/, '')));
  if (decided !== undefined) {
    throw new SpecError(`${decided} cannot stand beside DistCp's options`, 'use hdfs-fanout copy, or leave it out');
  }
  const wish = wishOf(options);
  const target = paths.at(-1);
  if (target === undefined) throw new SpecError('the target is missing', 'see hdfs-fanout distcp --help');
  const sources = paths.slice(0, -1);
  if (wish.list !== undefined && sources.length > 0) {
    throw new SpecError('-f and sources were both given', 'leave out one');
  }
  if (wish.list === undefined && sources.length === 0) {
    throw new SpecError('a source and the target are needed', 'see hdfs-fanout distcp --help');
  }
  if (wish.deletes && (wish.list !== undefined || sources.length > 1 || sources.some(hasGlob))) {
    throw new SpecError(
      '-delete takes one source that is named in full',
      'mirror each source into a directory of its own, one command each',
    );
  }
  return { wish, ours, sources, target };
}

/**
 * `hdfs-fanout distcp`: DistCp's command line, told and run as the `copy` that it amounts to.
 * @param run  runs `copy` with these arguments, which sets the exit code
 */
export async function distcp(
  words: readonly string[],
  copy: Command,
  run: (words: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const { wish, ours, sources: typed, target } = requestOf(words, copy);
  const json = ours.includes('--json');
  if (!json) tellMeanings(wish.meanings);
  const conf = valueIn(ours, '--conf');
  const file = clustersFile(conf);
  const clusters = loadClusters(file);
  const located = (text: string) => locationOf(text, clusters, wish.defaultFs, file);
  const destination = located(target);
  const interrupt = interruptSignal();
  const look = async () => {
    const lines = wish.list === undefined ? typed : await linesOfList(located(wish.list), conf, interrupt);
    const sources = lines.map(located);
    const places = await lookAt(sources, destination, wish, conf, interrupt);
    return commandOf(wish, ours, places, parseLocation(sources[0] ?? destination).alias, destination);
  };
  let equivalent: string[];
  try {
    equivalent = await look();
  } catch (error) {
    if (!interrupt.aborted) throw error;
    printError('interrupted: nothing was changed', json);
    process.exitCode = exitCodes.interrupted;
    return;
  }
  if (json) printEvent('distcp', { options: wish.meanings, command: equivalent });
  else printNote(`as ${['hdfs-fanout', ...equivalent].map(shellQuoted).join(' ')}`);
  await run(equivalent.slice(1));
  if (wish.ignoresFailures && process.exitCode === exitCodes.someFailed) {
    printNote('some files failed, and -i ends with 0 all the same');
    process.exitCode = exitCodes.success;
  }
}

async function lookAt(
  source: readonly string[],
  destination: string,
  { sync }: Wish,
  conf: string | undefined,
  signal: AbortSignal,
): Promise<Places> {
  await using endpoints = await endpointsOf(parseJobSpec({ source, destination }), conf, silentLog);
  return await placesOf(sync, endpoints, signal);
}

/** The arguments of `hdfs-fanout`. */
function commandOf(
  wish: Wish,
  ours: readonly string[],
  { existing, mapping, paths }: Places,
  alias: string,
  destination: string,
): string[] {
  const where = mapping === 'cp' ? [] : [`--${mapping}`];
  const flags = wish.meanings.flatMap((meaning) => meaning.flags);
  const sources = paths.map((path) => `${alias}:${path}`);
  return ['copy', '--existing', existing, ...where, '--mkpath', ...flags, ...ours, ...sources, destination];
}

function tellMeanings(meanings: readonly Meaning[]): void {
  const width = Math.max(...meanings.map(({ option }) => option.length), 0);
  for (const { option, means } of meanings) process.stderr.write(`  ${option.padEnd(width)}  ${means}\n`);
}

function valueIn(words: readonly string[], flag: string): string | undefined {
  const joined = words.find((word) => word.startsWith(`${flag}=`));
  const at = words.indexOf(flag);
  return joined?.slice(flag.length + 1) ?? (at < 0 ? undefined : words[at + 1]);
}
