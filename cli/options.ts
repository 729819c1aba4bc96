import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { SpecError } from '../shared/errors.ts';
import { existingChoices, existingOf } from '../shared/job/existing.ts';
import { comparisons, type JobSpec, parseJobSpec, verificationLevels } from '../shared/job/spec.ts';
import { attributeNames } from '../shared/preserve/attributes.ts';
import {
  andAnother,
  attributesOf,
  linesOf,
  pairsIn,
  portNumber,
  sizeInBytes,
  wholeNumber,
  wholeNumberOrOff,
} from './flag-values.ts';

/** Flags that say what of a tree is meant and within which limits, as commander gives them. */
export interface TreeFlags {
  preserve: boolean;
  attributes?: string;
  threads: number | 'auto';
  minSize: number;
  maxSize?: number;
  modifiedAfter?: string;
  modifiedBefore?: string;
  include: string[];
  exclude: string[];
  filters?: string;
  filesFrom?: string;
  pairs?: string;
  includePattern: string;
  bandwidth?: string;
  namenodeOps?: number | 'off';
  stallTimeout: string;
  minRate?: string;
}

/** Flags that describe a job. */
export interface JobFlags extends TreeFlags {
  src?: string;
  dest?: string;
  force: boolean;
  existing?: string;
  strictPreserve: boolean;
  filesOnly: boolean;
  checksum: boolean;
  compare: string;
  verify: string;
  openFiles: string;
  live: boolean;
  direct: boolean;
  exact: boolean;
  into: boolean;
  mkpath: boolean;
  partSize: number;
  bufferSize: number;
  maxFailures: number;
  splitAbove: number | 'auto';
  chunkSize: number;
  delete?: boolean;
  deleteExcluded?: boolean;
  skipTrash?: boolean;
  backupDir?: string;
  maxDelete?: number | string;
  trackMissing?: string;
  snapshot?: boolean;
  repair?: boolean;
  planOnly?: boolean;
}

/** Flags of `copy`: those of a job, and those of one run. */
export interface CopyFlags extends JobFlags {
  conf?: string;
  resume?: string;
  only?: string;
  dryRun: boolean;
  json: boolean;
  silent: boolean;
  verbose: number;
  logFile?: string;
  copiers?: number;
  metricsFile?: string;
  metricsPort?: number;
  metricsHost?: string;
}

/** The flags that were typed, by name: a default is not among them. */
export type GivenFlags = ReadonlyMap<keyof CopyFlags, string>;

export function givenFlags(command: Command): GivenFlags {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  return new Map(given.map((option) => [option.attributeName() as keyof CopyFlags, option.long ?? option.flags]));
}

const force = new Option('-f, --force', 'overwrite existing files that differ').default(false);
const existing = new Option(
  '--existing <what>',
  'files that exist: fail or update those that differ, skip or overwrite all unseen',
).choices(existingChoices);
const compare = new Option('--compare <how>', 'when a file of the same length is equal: by content, by time, or always')
  .choices(comparisons)
  .default('checksum');
const verify = new Option('--verify <level>', 'how each copied file is verified')
  .choices(verificationLevels)
  .default('checksum');
const openFiles = new Option('--open-files <what>', 'source files that are open for writing')
  .choices(['fail', 'skip'])
  .default('fail');
const live = new Option(
  '--live',
  'files that vanish, change or are written meanwhile are counted as such, and are no failures',
).default(false);
const maxFailures = new Option('--max-failures <n>', 'stop the job when more files than this have failed')
  .argParser(wholeNumber)
  .default(1000);
const threads = new Option(
  '--threads <n>',
  'transfers at once; 0: as many as both clusters allow; auto: as many as pay',
)
  .argParser((text) => (text === 'auto' ? text : wholeNumber(text)))
  .default(0);

const bandwidth = new Option(
  '--bandwidth <rate>',
  'bytes a second, such as 50M (x 1,048,576), or a timetable: "08:00,50M 19:00,off Europe/Berlin" (default: off)',
);
const namenodeOps = new Option(
  '--namenode-ops <n>',
  "requests a second to each cluster's namenodes (default: off)",
).argParser(wholeNumberOrOff);
const stallTimeout = new Option(
  '--stall-timeout <duration>',
  'a transfer of which no byte moves for so long is tried again elsewhere; off: never; auto: 180, or data_timeout',
).default('auto');
const minRate = new Option(
  '--min-rate <rate>',
  'so is one of which a side stays below this for a minute, such as 100K (default: off)',
);
const splitAbove = new Option(
  '--split-above <bytes>',
  'copy longer files in chunks; 0: none; auto: 1 GiB, and four blocks at least',
)
  .argParser((text) => (text === 'auto' ? text : wholeNumber(text)))
  .default('auto');

const maxDelete = new Option(
  '--max-delete <n>',
  "delete nothing where more files than this would go: N, or N% of the destination's (default: 10%, at most 10,000)",
).argParser((text) => (/^\d+$/.test(text) ? Number(text) : text));

/** Options that a retry in AWS may change, by name. */
export const retryOptions = {
  force,
  existing,
  verify,
  openFiles,
  live,
  maxFailures,
  maxDelete,
  threads,
  bandwidth,
  namenodeOps,
  stallTimeout,
  minRate,
} as const satisfies Partial<Record<keyof JobFlags, Option>>;

export const only = new Option(
  '--only <reason>',
  'of the failed files take up those alone that failed for this reason, in the words of the report',
);

/** Options that may change while a job runs. */
export const runningOptions = [threads, bandwidth, namenodeOps] as const;

/** Flags that choose of a tree. */
function addSelectionFlags(command: Command): Command {
  return command
    .option(
      '--include <glob>',
      'only what matches; may be repeated: *.csv at any depth, a/*.csv below the source, ** any directories',
      andAnother,
      [],
    )
    .option(
      '--exclude <glob>',
      'not what matches, in the same words; a directory that matches is not listed',
      andAnother,
      [],
    )
    .option(
      '--filters <file>',
      "not the paths that one of these regular expressions matches, one a line: DistCp's -filters",
    )
    .option('--files-from <file>', 'only what this list names, one path below the source a line; -: stdin')
    .option(
      '--pairs <file>',
      'only what this file names, each to a place of its own: source,destination a line (CSV), absolute paths',
    )
    .option('--include-pattern <glob>', 'only files whose base name matches, hidden ones too', '*')
    .option('--min-size <bytes>', 'only files of at least this size, such as 4096 or 10M', sizeInBytes, 0)
    .option('--max-size <bytes>', 'only files of at most this size', sizeInBytes)
    .option(
      '--modified-after <time>',
      'only files modified since: 7d (s, m, h, d, w ago), 2024-01-31, 2024-01-31T18:00Z',
    )
    .option('--modified-before <time>', 'only files modified before');
}

/** Flags of `verify`: those of a job that say of what it is, which attributes it carries over, and what it is kept within. */
export function addVerifyFlags(command: Command): Command {
  const begun = command
    .option('-p, --preserve', 'compare the attributes that copy --preserve carries over', false)
    .option('--attributes <list>', `compare these and no others: ${attributeNames.join(', ')}`);
  return addSelectionFlags(begun)
    .addOption(threads)
    .addOption(bandwidth)
    .addOption(namenodeOps)
    .addOption(stallTimeout)
    .addOption(minRate);
}

/** Flags of every command that starts a job: pydistcp's with their meaning, then ours. */
export function addJobFlags(command: Command): Command {
  const begun = command
    .argument('[paths...]', 'SOURCE... DESTINATION, each cluster:/path; plain paths with -s and -d')
    .option('-s, --src <cluster>', 'alias of the source cluster, or local')
    .option('-d, --dest <cluster>', 'alias of the destination cluster, or local')
    .addOption(force)
    .addOption(existing)
    .option('-p, --preserve', 'preserve owner, group, permission, times, replication, block size, ACL, xattrs', false)
    .option('--attributes <list>', `preserve these and no others: ${attributeNames.join(', ')}`)
    .option('--strict-preserve', 'a file whose attributes cannot be set fails', false)
    .option('--exact', 'the destination is the copied root, existing or not (cp -T)', false)
    .option('--into', 'the destination is a directory that sources go into, made where it is missing (cp -t)', false)
    .option('--mkpath', 'make missing directories above the destination', false)
    .option('--no-checksum', 'with --force: replace existing files without comparing them')
    .addOption(compare)
    .addOption(verify)
    .addOption(openFiles)
    .addOption(live)
    .option('--direct', 'write to the final name: no temporary file, no atomic rename', false)
    .option('--files-only', 'flatten: all files directly under the destination', false);
  return addSelectionFlags(begun)
    .addOption(splitAbove)
    .option(
      '--chunk-size <bytes>',
      'bytes of a chunk or part, rounded up to whole blocks of both sides',
      wholeNumber,
      2 ** 30,
    )
    .addOption(maxFailures)
    .addOption(threads)
    .addOption(bandwidth)
    .addOption(namenodeOps)
    .addOption(stallTimeout)
    .addOption(minRate)
    .option('--part-size <bytes>', 'bytes read at once from the local disk, a power of two', wholeNumber, 65_536)
    .option('--buffer-size <bytes>', 'accepted for compatibility, a power of two', wholeNumber, 65_536);
}

/** @param run  the command that runs the plan */
export function planOnlyOption(run: string): Option {
  return new Option(
    '--plan-only',
    `make directories and the plan, copy nothing, and keep the job as planned: ${run} runs it`,
  ).default(false);
}

/** Flags of a job that makes its destination a mirror. */
export function addMirrorFlags(command: Command): Command {
  return command
    .option(
      '--snapshot',
      'with --exact: copy from a snapshot of the source, and look only at what changed since the last one',
      false,
    )
    .option('--repair', 'with --snapshot: look at everything all the same', false)
    .option('--delete', 'with --exact: at the end, move what only the destination has into the trash', false)
    .option('--delete-excluded', 'with --delete: delete there also what a pattern leaves out here', false)
    .option('--skip-trash', 'with --delete: delete for good', false)
    .option(
      '--backup-dir <path>',
      "keep what is replaced or deleted: renamed into this directory of the destination's cluster, as PATH/JOB/...",
    )
    .addOption(maxDelete);
}

/** Flags of a command that tells Prometheus what it does. */
export function addMetricsFlags(command: Command): Command {
  return command
    .option(
      '--metrics-file <file>',
      "write metrics every 5 seconds and at the end, for node exporter's textfile collector",
    )
    .option('--metrics-port <port>', 'answer Prometheus at /metrics of this port; 0: a free one', portNumber)
    .option(
      '--metrics-host <address>',
      'with --metrics-port: listen at this address of the machine (default: 127.0.0.1)',
    );
}

/** @throws SpecError */
export function specOf(paths: readonly string[], flags: JobFlags): JobSpec {
  const [first = ''] = paths;
  // A copy needs no word for itself, so that a mistyped command is taken for a path.
  if (flags.src === undefined && /^[a-z-]+$/.test(first))
    throw new SpecError(`${first} is neither a command nor a cluster:/path`, 'hdfs-fanout --help lists the commands');
  if (paths.length < 2) throw new SpecError('source and destination are needed', 'see hdfs-fanout copy --help');
  const located = paths.map((path, index) => {
    const alias = index === paths.length - 1 ? flags.dest : flags.src;
    return alias === undefined ? path : `${alias}:${path}`;
  });
  return parseJobSpec({
    source: located.slice(0, -1),
    destination: located.at(-1),
    options: {
      existing: existingFrom(flags),
      mapping: mappingFrom(flags),
      mkpath: flags.mkpath,
      ...treeOptions(flags),
      preserve: flags.preserve || flags.strictPreserve,
      compare: flags.compare,
      strictPreserve: flags.strictPreserve,
      verify: flags.verify,
      openFiles: flags.openFiles,
      live: flags.live,
      direct: flags.direct,
      splitAbove: flags.splitAbove,
      chunkSize: flags.chunkSize,
      partSize: flags.partSize,
      bufferSize: flags.bufferSize,
      filesOnly: flags.filesOnly,
      maxFailures: flags.maxFailures,
      snapshot: flags.snapshot,
      repair: flags.repair,
      planOnly: flags.planOnly,
      delete: flags.delete,
      deleteExcluded: flags.deleteExcluded,
      skipTrash: flags.skipTrash,
      backupDir: flags.backupDir,
      maxDelete: flags.maxDelete,
      trackMissing: flags.trackMissing === undefined ? undefined : resolve(flags.trackMissing),
    },
  });
}

/**
 * The job that `verify` holds two trees against.
 * @param verify  of a job that is to do it by itself, in AWS
 * @throws SpecError
 */
export function verifySpecOf(
  source: string,
  destination: string,
  flags: TreeFlags,
  verify?: NonNullable<JobSpec['verify']>,
): JobSpec {
  return parseJobSpec({ source, destination, verify, options: { ...treeOptions(flags), mapping: 'exact' } });
}

/** What of a tree, and within which limits. */
function treeOptions(flags: TreeFlags) {
  return {
    preserve: flags.preserve,
    attributes: flags.attributes === undefined ? [] : attributesOf(flags.attributes),
    includePattern: flags.includePattern,
    include: flags.include,
    exclude: flags.exclude,
    filesFrom: flags.filesFrom,
    filters: flags.filters === undefined ? [] : linesOf('--filters', flags.filters),
    pairs: flags.pairs === undefined ? [] : pairsIn(flags.pairs),
    minSize: flags.minSize,
    maxSize: flags.maxSize,
    modifiedAfter: flags.modifiedAfter,
    modifiedBefore: flags.modifiedBefore,
    threads: flags.threads,
    bandwidth: flags.bandwidth,
    namenodeOps: flags.namenodeOps,
    stallTimeout: flags.stallTimeout,
    minRate: flags.minRate,
  };
}

/** @throws SpecError when both are said */
function mappingFrom({ exact, into }: JobFlags): string {
  if (exact && into) {
    throw new SpecError('--exact and --into both say what the destination is', 'leave out one');
  }
  return exact ? 'exact' : into ? 'into' : 'cp';
}

/** @throws SpecError when what becomes of existing files is said by --existing and by pydistcp's flags */
function existingFrom({ existing: said, force: forced, checksum }: JobFlags): string {
  if (said === undefined) return existingOf(forced, checksum);
  if (!forced && checksum) return said;
  const beside = forced ? '--force' : '--no-checksum';
  throw new SpecError(
    `--existing ${said} and ${beside} both say what becomes of existing files`,
    `leave out ${beside}`,
  );
}
