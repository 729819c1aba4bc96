import { SpecError } from '../../shared/errors.ts';

/** An option of DistCp's, as it was typed: its name without the hyphen. */
export interface TypedOption {
  readonly name: string;
  readonly values: readonly string[];
}

/** DistCp's arguments, told apart. */
export interface Arguments {
  /** In their order. */
  readonly options: readonly TypedOption[];
  /** Flags of `copy` with their values, to be passed on. */
  readonly ours: readonly string[];
  readonly paths: readonly string[];
}

/** Options of DistCp and of Hadoop's GenericOptionsParser, by the number of values that they take. */
const VALUES: ReadonlyMap<string, number> = new Map([
  ...'i p update overwrite delete append atomic async direct skipcrccheck v useiterator updateRoot'
    .split(' ')
    .map((name) => [name, 0] as const),
  ...'m f bandwidth blocksperchunk copybuffersize filters log numListstatusThreads strategy tmp xtrack'
    .split(' ')
    .map((name) => [name, 1] as const),
  ...'filelimit sizelimit mapredSslConf D conf fs jt files libjars archives tokenCacheFile'
    .split(' ')
    .map((name) => [name, 1] as const),
  ...['diff', 'rdiff'].map((name) => [name, 2] as const),
]);

/** Values may stand right behind these: `-pugp`, `-m20`, `-Dname=value`. */
const JOINED = /^-(?=[pD].|m\d+$|f.*[:/])(.)([^]+)$/;

/**
 * Tells DistCp's options, which begin with one hyphen, from those of `copy`, which begin with two, and both from paths. They may stand in any order.
 *
 * @param takesValue  of a flag of `copy`, by `--name`; undefined where there is none of that name
 * @throws SpecError for an option of neither
 * @see Hadoop OptionsParser; Apache Commons CLI, GnuParser
 */
export function parseArguments(words: readonly string[], takesValue: (flag: string) => boolean | undefined): Arguments {
  const options: TypedOption[] = [];
  const ours: string[] = [];
  const paths: string[] = [];
  const rest = [...words];
  const valueOf = (option: string): string => {
    const value = rest.shift();
    if (value === undefined) throw new SpecError(`${option} takes a value`, 'see hdfs-fanout distcp --help');
    return value;
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') paths.push(...rest.splice(0));
    else if (!/^-./.test(word)) paths.push(word);
    else {
      const { flag, value } = flagOf(word);
      const isValued = flag.startsWith('--') ? takesValue(flag) : undefined;
      if (isValued !== undefined) ours.push(word, ...(isValued && value === undefined ? [valueOf(flag)] : []));
      else {
        const { name, given } = optionOf(word, flag, value);
        const missing = (VALUES.get(name) ?? 0) - given.length;
        options.push({ name, values: [...given, ...Array.from({ length: missing }, () => valueOf(`-${name}`))] });
      }
    }
  }
  return { options, ours, paths };
}

/** `-m=20` is `-m 20`. */
function flagOf(word: string): { flag: string; value: string | undefined } {
  const at = word.indexOf('=');
  return at < 0 ? { flag: word, value: undefined } : { flag: word.slice(0, at), value: word.slice(at + 1) };
}

function optionOf(word: string, flag: string, value: string | undefined): { name: string; given: string[] } {
  const name = flag.replace(/^--?/, '');
  if (VALUES.has(name)) {
    if (value === undefined) return { name, given: [] };
    if (VALUES.get(name) === 1) return { name, given: [value] };
    throw new SpecError(`-${name} takes no value, and ${word} gives it one`, `write -${name}`);
  }
  const [, letter = '', joined = ''] = JOINED.exec(word) ?? [];
  if (letter !== '') return { name: letter, given: [joined] };
  throw new SpecError(
    `${flag} is an option neither of DistCp nor of hdfs-fanout copy`,
    'see hdfs-fanout distcp --help and hdfs-fanout copy --help',
  );
}
