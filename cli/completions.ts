import type { Command, Option } from 'commander';
import { attributeNames } from '../shared/preserve/attributes.ts';
import { clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { openState } from '../shared/machine/state.ts';

/** A word that may stand where the cursor is, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** What only this machine knows. */
export interface Known {
  /** Newest first. */
  readonly jobs: () => Promise<readonly string[]>;
  /** @param conf  the file that names them, where one is said */
  readonly clusters: (conf: string | undefined) => readonly string[];
}

/** What stands before the cursor, as far as it says what may come. */
interface Line {
  readonly command: Command;
  readonly operands: readonly string[];
  /** The option whose value is to come. */
  readonly waiting: Option | undefined;
  readonly conf: string | undefined;
  readonly isInAws: boolean;
}

const JOBS_SHOWN = 50;

/**
 * What the word at the cursor may become, by the commands and options of the program itself. None where a file is to come, or nobody knows.
 * @param words  those after the program's name; the last one is at the cursor, and may be empty
 */
export async function candidatesFor(
  program: Command,
  words: readonly string[],
  known: Known = knownHere,
): Promise<readonly Candidate[]> {
  const { before, current, prefix } = taken(words);
  const line = read(program, before);
  const found = await candidates(program, line, current, known);
  return found
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, ...rest }) => ({ ...rest, word: prefix + word }));
}

/** Takes `--option=value` apart, which bash has taken apart already, as `--option`, `=` and `value`. */
function taken(words: readonly string[]) {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const previous = joined.at(-1);
    if (word === '=' && previous?.startsWith('--')) {
      if (index === words.length - 1) return { before: joined, current: '', prefix: '' };
      continue;
    }
    joined.push(word);
  }
  const [, option, value] = /^(--[\w-]+)=(.*)$/.exec(joined.at(-1) ?? '') ?? [];
  if (option !== undefined)
    return { before: [...joined.slice(0, -1), option], current: value ?? '', prefix: `${option}=` };
  return { before: joined.slice(0, -1), current: joined.at(-1) ?? '', prefix: '' };
}

function read(program: Command, words: readonly string[]): Line {
  let command = program;
  let waiting: Option | undefined;
  let conf: string | undefined;
  let isInAws = false;
  const operands: string[] = [];
  for (const word of words) {
    const child = operands.length === 0 ? command.commands.find((other) => other.name() === word) : undefined;
    if (waiting) {
      if (waiting.long === '--conf') conf = word;
      waiting = undefined;
    } else if (word.startsWith('-')) {
      const [name] = word.split('=');
      const option = optionsOf(program, command).find(({ long, short }) => long === name || short === name);
      if (option?.long === '--stack') isInAws = true;
      if (option?.required && !word.includes('=')) waiting = option;
    } else if (child) command = child;
    else if (word !== 'help' || operands.length > 0) operands.push(word);
  }
  // Its commands look in AWS alone, where asking takes long.
  isInAws ||= command.options.some(({ long, defaultValue }) => long === '--stack' && defaultValue !== undefined);
  return { command, operands, waiting, conf, isInAws };
}

/** A command line without a command is a copy. */
function optionsOf(program: Command, command: Command): readonly Option[] {
  const copy = program.commands.find((child) => child.name() === 'copy');
  const own = command.createHelp().visibleOptions(command);
  return command === program && copy ? [...own, ...copy.options] : own;
}

async function candidates(program: Command, line: Line, current: string, known: Known): Promise<readonly Candidate[]> {
  const { command, operands, waiting } = line;
  if (waiting) return valuesOf(waiting, current, line, known);
  if (current.startsWith('-'))
    return optionsOf(program, command).map(({ long, short, description }) => ({
      word: long ?? short ?? '',
      meaning: description,
    }));
  const children = operands.length > 0 ? [] : command.createHelp().visibleCommands(command);
  const words = children.map((child) => ({ word: child.name(), meaning: child.description() }));
  return [...words, ...(await operandsOf(program, line, known))];
}

async function valuesOf(option: Option, current: string, line: Line, known: Known): Promise<readonly Candidate[]> {
  if (option.argChoices) return plain(option.argChoices);
  switch (option.long) {
    case '--attributes': {
      const named = current.slice(0, current.lastIndexOf(',') + 1);
      const others = attributeNames.filter((name) => !named.split(',').includes(name));
      return plain(others.map((name) => named + name));
    }
    case '--src':
    case '--dest':
      return plain([...known.clusters(line.conf), 'local']);
    case '--resume':
      return plain(await known.jobs());
    default:
      return [];
  }
}

async function operandsOf(program: Command, line: Line, known: Known): Promise<readonly Candidate[]> {
  const { operands, conf, isInAws } = line;
  const command = line.command === program ? program.commands.find((child) => child.name() === 'copy') : line.command;
  const declared = command?.registeredArguments ?? [];
  const argument = declared[operands.length] ?? (declared.at(-1)?.variadic ? declared.at(-1) : undefined);
  if (!argument) return [];
  if (argument.argChoices) return plain(argument.argChoices);
  switch (argument.name()) {
    case 'job':
      return isInAws ? [] : plain(await known.jobs());
    case 'cluster':
      return plain(known.clusters(conf));
    case 'paths':
    case 'source':
    case 'destination':
      return plain([...known.clusters(conf), 'local'].map((alias) => `${alias}:`));
    default:
      return [];
  }
}

function plain(words: readonly string[]): Candidate[] {
  return words.map((word) => ({ word, meaning: '' }));
}

/** What cannot be read now is no error of somebody who is still typing. */
const knownHere: Known = {
  async jobs() {
    try {
      return (await openState().store.list(JOBS_SHOWN)).map(({ id }) => id);
    } catch {
      return [];
    }
  },
  clusters(conf) {
    try {
      return [...loadClusters(clustersFile(conf)).keys()];
    } catch {
      return [];
    }
  },
};
