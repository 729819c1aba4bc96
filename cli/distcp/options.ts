import { SpecError } from '../../shared/errors.ts';
import type { Attribute } from '../../shared/preserve/attributes.ts';
import type { TypedOption } from './arguments.ts';
import { meaningOfProperty, refuseOption } from './refusals.ts';

/** What one option means here, and the flags of `copy` that say so. */
export interface Meaning {
  /** As it was typed. */
  readonly option: string;
  readonly means: string;
  readonly flags: readonly string[];
}

/** What DistCp's options ask for, before anything is known of the clusters. */
export interface Wish {
  readonly meanings: readonly Meaning[];
  /** `-update` and `-overwrite` take the contents of a source directory; without them the directory itself is taken. */
  readonly sync: 'update' | 'overwrite' | undefined;
  readonly deletes: boolean;
  /** `-i`: failed files do not fail the command. */
  readonly ignoresFailures: boolean;
  /** `-f`: where the sources are listed. */
  readonly list: string | undefined;
  /** `-fs`: what paths without a scheme belong to. */
  readonly defaultFs: string | undefined;
}

/** DistCp's defaults (DistCpConstants): maps, and HDFS' block. */
const MAPS = 20;
const BLOCK_BYTES = 128 * 1024 * 1024;
const MOST_FAILURES = 1_000_000_000;
/** That a job takes. */
const MOST_THREADS = 10_000;

/** DistCpOptions.FileAttribute; `c` has no counterpart. */
const letters: Readonly<Record<string, Attribute | undefined>> = {
  r: 'replication',
  b: 'blocksize',
  u: 'owner',
  g: 'group',
  p: 'permission',
  c: undefined,
  a: 'acl',
  x: 'xattr',
  t: 'times',
  e: 'ecpolicy',
};

/** `-p` without letters. */
const USUAL_LETTERS = 'rbugpct';

/** @throws SpecError for an option, a value, or two options together that cannot be */
export function wishOf(options: readonly TypedOption[]): Wish {
  for (const { name } of options) refuseOption(name);
  const has = (name: string) => options.some((option) => option.name === name);
  const valueOf = (name: string) => options.findLast((option) => option.name === name)?.values[0];
  if (has('update') && has('overwrite')) {
    throw new SpecError('-update and -overwrite exclude each other', 'leave out one');
  }
  const sync = has('update') ? 'update' : has('overwrite') ? 'overwrite' : undefined;
  if (sync === undefined && (has('delete') || has('xtrack'))) {
    const name = has('delete') ? '-delete' : '-xtrack';
    throw new SpecError(`${name} needs -update or -overwrite`, 'add one of them');
  }
  const maps = Math.min(Math.max(1, whole('-m', valueOf('m') ?? String(MAPS))), MOST_THREADS);
  return {
    meanings: options.map((option) => ({ option: typed(option), ...meaningOf(option, sync, maps) })),
    sync,
    deletes: has('delete'),
    ignoresFailures: has('i'),
    list: valueOf('f'),
    defaultFs: valueOf('fs'),
  };
}

function typed({ name, values }: TypedOption): string {
  const isJoined = name === 'p' || name === 'D';
  return isJoined ? `-${name}${values.join('')}` : [`-${name}`, ...values].join(' ');
}

function meaningOf({ name, values }: TypedOption, sync: Wish['sync'], maps: number): Omit<Meaning, 'option'> {
  const [value = ''] = values;
  const meaning = (means: string, ...flags: string[]) => ({ means, flags });
  switch (name) {
    case 'update':
      return meaning('a source directory becomes the target itself; what differs in length or content is replaced');
    case 'overwrite':
      return meaning('a source directory becomes the target itself; every file is replaced, uncompared');
    case 'delete':
      return meaning(
        'what only the target has goes into the trash (or --backup-dir) when all is copied, or for good, as in DistCp, with --skip-trash; none does where it is more than 10% or 10,000 files (--max-delete)',
        '--delete',
      );
    case 'p':
      return preserved(value);
    case 'i':
      return meaning(
        'failed files are told at the end, and the command ends with 0 all the same',
        '--max-failures',
        String(MOST_FAILURES),
      );
    case 'm':
      return meaning(`${maps} transfers at once, within what both clusters allow`, '--threads', String(maps));
    case 'bandwidth':
      return bandwidth(value, maps);
    case 'skipcrccheck':
      return sync === 'update'
        ? meaning(
            'files of the same length count as equal; what is copied is verified all the same',
            '--compare',
            'size',
          )
        : meaning('no effect: what is copied is verified, also between different block sizes');
    case 'blocksperchunk':
      return chunks(whole('-blocksperchunk', value));
    case 'filters':
      return meaning('paths that one of its expressions matches are left out', '--filters', value);
    case 'direct':
      return meaning('files are written to their final names: readers may see parts of them', '--direct');
    case 'xtrack':
      return tracked(value);
    case 'v':
      return meaning('how each file ends is told on stderr', '-vvvv');
    case 'log':
      return meaning('no effect: hdfs-fanout status JOB --failures tells, and --log-file FILE writes a log');
    case 'strategy':
      if (!['uniformsize', 'dynamic'].includes(value))
        throw new SpecError(`-strategy ${value} is not known`, 'DistCp has uniformsize and dynamic');
      return meaning('no effect: who has copied its files takes others, as with dynamic');
    case 'updateRoot':
      return meaning('no effect: a source directory that becomes the target itself gives it its attributes anyway');
    case 'numListstatusThreads':
    case 'useiterator':
      return meaning('no effect: both trees are listed ahead, a page at a time, in little memory');
    case 'copybuffersize':
      return meaning('no effect: buffers are sized by themselves');
    case 'filelimit':
    case 'sizelimit':
      return meaning('no effect, as in Hadoop 3, which ignores it');
    case 'f':
      return meaning('the sources are the lines of this file');
    case 'fs':
      return meaning('paths without a scheme belong to it');
    case 'D':
      return meaning(meaningOfProperty(value));
    default:
      return meaning('no effect: nothing runs on YARN');
  }
}

function preserved(typedLetters: string): Omit<Meaning, 'option'> {
  const all = (typedLetters === '' ? USUAL_LETTERS : typedLetters.toLowerCase()).split('');
  const unknown = all.find((letter) => !Object.hasOwn(letters, letter));
  if (unknown !== undefined) {
    throw new SpecError(`-p${typedLetters}: ${unknown} is none of its letters`, 'choose of rbugpcaxte');
  }
  const names = [...new Set(all.flatMap((letter) => letters[letter] ?? []))];
  const types = all.includes('c') ? ['the checksum type stays that of the target, and is no obstacle'] : [];
  if (names.length === 0) return { means: types.join(), flags: [] };
  const carried = `carries over ${names.join(', ')}`;
  return { means: [carried, ...types].join('; '), flags: ['--attributes', names.join(',')] };
}

/** DistCp's is of a map, and a rate of the whole job here. */
function bandwidth(value: string, maps: number): Omit<Meaning, 'option'> {
  const each = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : 0;
  if (each <= 0) throw new SpecError(`-bandwidth ${value} is no number of MB a second above 0`, 'write 10, or 0.5');
  const total = `${Number((each * maps).toFixed(6))}M`;
  return {
    means: `${value} MB a second for each of ${maps} maps: ${total} for the whole job`,
    flags: ['--bandwidth', total],
  };
}

function chunks(blocks: number): Omit<Meaning, 'option'> {
  if (blocks <= 0) return { means: 'no file is copied in chunks', flags: ['--split-above', '0'] };
  const bytes = String(blocks * BLOCK_BYTES);
  return {
    means: `longer files are copied in chunks of ${blocks} blocks of 128 MiB, rounded up to whole blocks of both sides`,
    flags: ['--split-above', bytes, '--chunk-size', bytes],
  };
}

/** DistCp's is a directory of a cluster, with lists in its own format. */
function tracked(value: string): Omit<Meaning, 'option'> {
  const file = value.replace(/^file:(?:\/\/)?(?=\/)/, '');
  if (/^[\w.+-]+:/.test(file)) {
    throw new SpecError(
      `-xtrack ${value}: the list is written to a file of this machine`,
      'name one: -xtrack missing.jsonl',
    );
  }
  return {
    means: 'what only the target has is listed in this file of this machine, as JSON Lines',
    flags: ['--track-missing', file],
  };
}

function whole(option: string, value: string): number {
  if (/^-?\d{1,9}$/.test(value)) return Number(value);
  throw new SpecError(`${option} ${value} is not a whole number`);
}
