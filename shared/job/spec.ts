import { z } from 'zod';
import { messageOf, SpecError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { attributeNames } from '../preserve/attributes.ts';
import { parseDuration } from '../limits/duration.ts';
import { parseRate } from '../limits/rate.ts';
import { faultInTimetable } from '../limits/timetable.ts';
import { changedExisting, existingChoices, existingOf, mayReplace } from './existing.ts';
import type { Pace } from '../storage/pace.ts';
import { pathFaultOf } from '../storage/path-pattern.ts';
import { faultOf } from '../storage/pattern.ts';
import { wholeMatcher } from '../storage/regular-expression.ts';
import { faultInMoment } from './moment.ts';
import { faultInPairPath } from './pair.ts';
import { verificationSchema } from './verification.ts';

const powerOfTwo = z
  .int()
  .min(512)
  .max(2 ** 30)
  .refine((value) => Number.isInteger(Math.log2(value)), 'expected a power of two');

/** A text that a function finds nothing wrong with. */
const sound = (faultIn: (text: string) => string | undefined) =>
  z
    .string()
    .min(1)
    .superRefine((text, context) => {
      const fault = faultIn(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    });

/** What rsync's users write behind an include, and what would leave out that as well. */
const EVERYTHING = /^\/?\*+(?:\/\*+)*\/?$/;

function faultInExclude(pattern: string): string | undefined {
  if (!EVERYTHING.test(pattern) || /^\/?\*\/$/.test(pattern)) return pathFaultOf(pattern);
  return `"${pattern}" leaves nothing to copy (beside include, all other files are left out as it is)`;
}

/** DistCp holds expressions against qualified paths, and some begin with a scheme: those would never match here. */
function faultInFilter(expression: string): string | undefined {
  if (/^\^?[\w.+-]+:\/\//.test(expression)) {
    return `"${expression}" begins with a scheme (paths are held against it from their first slash on: begin with .*)`;
  }
  try {
    wholeMatcher(expression);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Patterns of paths: a schedule's whole job has 256 KiB, and each is held against every name of a tree. */
const pathPatterns = z.array(sound(pathFaultOf)).max(1000).default([]);

function faultInBackup(path: string): string | undefined {
  if (path === '' || path.startsWith('/')) return undefined;
  return "expected an absolute path on the destination's cluster, without the name of that";
}

const moment = sound((text) => (text === 'off' ? undefined : faultInMoment(text)));

/** How files of one length are told apart. */
export const comparisons = ['checksum', 'time', 'size'] as const;
export type Comparison = (typeof comparisons)[number];

/** How a copied file is proved to be its source, from strong to weak. */
export const verificationLevels = ['checksum', 'read-back', 'length', 'none'] as const;
export type Verification = (typeof verificationLevels)[number];

/** Adds what is wrong with a value, in the words of whoever reads it. */
function refuseFault(read: () => unknown, context: z.RefinementCtx): void {
  try {
    read();
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
}

const optionFields = z.strictObject({
  existing: z
    .enum(existingChoices)
    .optional()
    .meta({ default: 'fail' })
    .describe(
      'Files that exist at the destination. fail: what differs fails. skip: left alone, uncompared. update: what differs is replaced. overwrite: replaced, uncompared. Equal files are skipped by fail and update',
    ),
  force: z.boolean().optional().meta({ deprecated: true }).describe('true stands for existing: update'),
  checksum: z
    .boolean()
    .optional()
    .meta({ deprecated: true })
    .describe('false, beside force: true, stands for existing: overwrite'),
  compare: z
    .enum(comparisons)
    .default('checksum')
    .describe(
      'When a file of the same length counts as equal. checksum: by its content. time: also by the same modification time, unread, others by content. size: always, unread. Of use beside existing: fail and update',
    ),
  mapping: z
    .enum(['cp', 'exact', 'into'])
    .default('cp')
    .describe(
      'cp: into an existing directory, else under the new name. exact: the destination is the copied root. into: the destination is a directory, made where it is missing, that sources go into',
    ),
  mkpath: z.boolean().default(false).describe('Make the directories above the destination that are missing'),
  preserve: z
    .boolean()
    .default(false)
    .describe('Carry over owner, group, permission, times, replication, block size, ACL and extended attributes'),
  attributes: z
    .array(z.enum(attributeNames))
    .default([])
    .describe('Carry over these and no others; implies preserve. None named: all of them with preserve'),
  strictPreserve: z.boolean().default(false).describe('A file whose attributes cannot be set fails'),
  verify: z.enum(verificationLevels).default('checksum').describe('How each copied file is verified'),
  openFiles: z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('What becomes of a source file that somebody writes: it fails, or it is skipped and counted'),
  live: z
    .boolean()
    .default(false)
    .describe(
      'The source is in use: files that vanish, change or are written while the job runs are counted as vanished or changed, and are no failures; the file at the destination stays as it was. Not with direct',
    ),
  direct: z.boolean().default(false).describe('Write to the final name: saves a rename, readers see half files'),
  threads: z
    .union([z.int().min(0).max(10_000), z.literal('auto')], 'expected a whole number, or auto')
    .default(0)
    .describe(
      'Transfers at once; 0: as many as both clusters allow; auto: as many as pay, within that; in AWS auto is as 0',
    ),
  bandwidth: sound(faultInTimetable)
    .default('off')
    .describe(
      'Bytes a second over the whole job, such as 50M (K, M, G, T: multiples of 1,024), or a timetable such as "08:00,50M 19:00,off Europe/Berlin"; off: no limit. A copied byte counts once, one that is read to compare or verify as well',
    ),
  namenodeOps: z
    .union([z.int().min(1).max(1_000_000), z.literal('off')])
    .default('off')
    .describe("Requests a second to each cluster's namenodes over the whole job; off: no limit"),
  stallTimeout: z
    .union([z.literal('auto'), z.int().min(0), z.string()], 'expected seconds, or a duration such as 90s')
    .superRefine((given, context) => refuseFault(() => stallMsOf(given), context))
    .default('auto')
    .describe(
      'A transfer of which no byte moves for so long is tried again elsewhere: seconds, or 90s, 3m; 0 or off: never. auto: data_timeout of the cluster, 180 s unless it says otherwise',
    ),
  minRate: z
    .string()
    .superRefine((given, context) => refuseFault(() => parseRate(given), context))
    .default('off')
    .describe(
      'A transfer of which a side moves fewer bytes a second than this, over a minute in which it is waited for, is tried again elsewhere; as bandwidth; off: none',
    ),
  partSize: powerOfTwo.default(65_536).describe('Bytes read at once from the local disk, a power of two'),
  bufferSize: powerOfTwo.default(65_536).describe('Accepted from pydistcp: the servers choose their own buffers'),
  include: pathPatterns.describe(
    'Only what one of these globs takes: *.csv a name at any depth, a/*.csv a path below the source, ** any number of directories. A directory that matches takes all below it along',
  ),
  exclude: z
    .array(sound(faultInExclude))
    .max(1000)
    .default([])
    .describe('Not what one of these globs takes, also if it is included. A directory that matches is not even listed'),
  filters: z
    .array(sound(faultInFilter))
    .max(1000)
    .default([])
    .describe(
      "Not the paths, from their first slash on, that one of these expressions matches as a whole: DistCp's -filters, in Java's syntax. What lies in a directory that matches is held against them too",
    ),
  filesFrom: z
    .string()
    .min(1)
    .default('off')
    .describe(
      "Only what this list names: paths below the one source directory, or absolute within it, one a line; a directory stands for all below it. A file, or - for stdin; on AWS s3://BUCKET/lists/NAME in the deployment's bucket; off: no list",
    ),
  pairs: z
    .array(z.strictObject({ source: sound(faultInPairPath), destination: sound(faultInPairPath) }))
    .max(10_000)
    .default([])
    .describe(
      'Only these files and directories, each to a destination of its own: absolute paths that lie in the source and the destination of the job. Implies mapping: exact',
    ),
  includePattern: sound(faultOf).default('*').describe('Only files whose base name matches this glob, hidden ones too'),
  minSize: z.int().min(0).default(0).describe('Only files of at least this many bytes'),
  maxSize: z
    .union([z.int().min(0), z.literal('off')], 'expected a whole number, or off')
    .default('off')
    .describe('Only files of at most this many bytes; off: of any length'),
  modifiedAfter: moment
    .default('off')
    .describe(
      'Only files modified at this time or later: 7d (s, m, h, d, w before the job began), 2024-01-31, 2024-01-31T18:00Z; UTC where no zone is named; off: of any time',
    ),
  modifiedBefore: moment.default('off').describe('Only files modified before this time, said in the same way'),
  filesOnly: z.boolean().default(false).describe('Flatten: all files directly under the destination'),
  splitAbove: z
    .union([z.int().min(0), z.literal('auto')], 'expected a whole number, or auto')
    .default('auto')
    .describe(
      'Files of more bytes are copied in chunks, by many transfers at once, where the destination allows it; 0: none. auto, the default: 1 GiB, and four blocks at least',
    ),
  chunkSize: z
    .int()
    .min(2 ** 20)
    .default(2 ** 30)
    .describe(
      'Bytes of a chunk, or of a part of a long file that is copied as one stream, at least 1 MiB; rounded up to a multiple of the blocks of both sides, of which a chunk has 8,000 at most',
    ),
  planOnly: z
    .boolean()
    .default(false)
    .describe(
      'End with the plan: directories are made, no file is copied, and the job waits as planned until it is resumed (on AWS retried), which runs that plan',
    ),
  maxFailures: z.int().min(0).default(1000).describe('The job ends when more files than this have failed'),
  delete: z
    .boolean()
    .default(false)
    .describe(
      'After every copy has succeeded, move what the destination has and the source has not into the trash; needs mapping: exact',
    ),
  skipTrash: z.boolean().default(false).describe('With delete: delete for good, in place of moving into the trash'),
  backupDir: z
    .string()
    .default('')
    .superRefine((path, context) => {
      const fault = faultInBackup(path);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .describe(
      "A directory of the destination's cluster, outside of the source and the destination, to which what is replaced or deleted is renamed: DIRECTORY/JOB/path. Not with direct or skipTrash. Empty: none",
    ),
  deleteExcluded: z
    .boolean()
    .default(false)
    .describe(
      'With delete: also what include, exclude, filters or includePattern leave out at the source is deleted at the destination',
    ),
  maxDelete: z
    .union(
      [z.int().min(0), z.string().regex(/^(?:100|[1-9]?\d)%$/), z.literal('auto')],
      'expected a number of files, a share such as 5%, or auto',
    )
    .default('auto')
    .describe(
      "With delete: where more files than this would go, none goes, and the job ends. N; N% of the destination's files; auto: 10% and 10,000, whichever is less, and 20 in any case where the source has a file",
    ),
  snapshot: z
    .boolean()
    .default(false)
    .describe(
      'Copy from a snapshot of the source, which the job makes, and look only at what has changed since that of the last job from there to this destination; needs mapping: exact and a snapshottable source',
    ),
  repair: z
    .boolean()
    .default(false)
    .describe('With snapshot: look at everything all the same, since somebody else may have changed the destination'),
  trackMissing: z
    .string()
    .default('')
    .describe(
      'A file of this machine (not in AWS) to which what the destination has and the source has not is listed, as JSON Lines; needs mapping: exact. Empty: none',
    ),
});

/** People, schedules and jobs of earlier versions may say `force` and `checksum`, which are translated here: all other code knows `existing` alone. */
const optionsSchema = optionFields.transform(({ existing, force, checksum, ...options }, context) => {
  if (existing !== undefined && (force !== undefined || checksum !== undefined)) {
    context.addIssue({
      code: 'custom',
      path: ['existing'],
      message: 'says all that force and checksum say: leave them out',
    });
  }
  if (options.live && options.direct) {
    const message =
      'cannot go with direct: of a file that changes while it is written in place neither version would be left';
    context.addIssue({ code: 'custom', path: ['live'], message });
  }
  if (options.backupDir !== '' && (options.direct || options.skipTrash)) {
    const message = options.direct
      ? 'cannot go with direct: what is written in place would stand half-written where the old file was'
      : 'keeps what is deleted, and skipTrash deletes it for good: leave out one';
    context.addIssue({ code: 'custom', path: ['backupDir'], message });
  }
  for (const [path, message] of [...faultsOfDeletes(options), ...faultsOfSnapshot(options)])
    context.addIssue({ code: 'custom', path: [path], message });
  return { existing: existing ?? existingOf(force ?? false, checksum ?? true), ...options };
});

function faultsOfDeletes(
  options: Pick<
    z.output<typeof optionFields>,
    | 'delete'
    | 'deleteExcluded'
    | 'skipTrash'
    | 'minSize'
    | 'maxSize'
    | 'modifiedAfter'
    | 'modifiedBefore'
    | 'maxDelete'
    | 'trackMissing'
    | 'mapping'
    | 'filesOnly'
    | 'filesFrom'
    | 'pairs'
  >,
): (readonly [string, string])[] {
  const { deleteExcluded, minSize, maxSize, modifiedAfter, modifiedBefore } = options;
  const picksFiles = minSize > 0 || [maxSize, modifiedAfter, modifiedBefore].some((choice) => choice !== 'off');
  const { delete: deletes, skipTrash, maxDelete, trackMissing, mapping, filesOnly, filesFrom, pairs } = options;
  const isListed = filesFrom !== 'off' || pairs.length > 0;
  const looks = deletes ? 'delete' : trackMissing === '' ? undefined : 'trackMissing';
  const faults: (readonly [string, string] | false)[] = [
    looks !== undefined && mapping !== 'exact' && [looks, 'needs mapping: exact (--exact)'],
    looks !== undefined && filesOnly && [looks, 'cannot go with filesOnly: a flattened tree has no directories'],
    looks !== undefined && isListed && [looks, 'needs a whole source: leave out filesFrom and pairs'],
    deletes && trackMissing !== '' && ['trackMissing', 'lists in place of deleting: leave out delete'],
    skipTrash && !deletes && ['skipTrash', 'says how to delete: it needs delete'],
    deleteExcluded && !deletes && ['deleteExcluded', 'says what else to delete: it needs delete'],
    deleteExcluded &&
      picksFiles && [
        'deleteExcluded',
        'cannot go with minSize, maxSize, modifiedAfter and modifiedBefore: what they leave out of a source may be there in another length or of another time',
      ],
    maxDelete !== 'auto' && !deletes && ['maxDelete', 'limits what is deleted: it needs delete'],
  ];
  return faults.filter((fault) => fault !== false);
}

function faultsOfSnapshot(
  options: Pick<z.output<typeof optionFields>, 'snapshot' | 'repair' | 'mapping' | 'filesOnly' | 'filesFrom' | 'pairs'>,
): (readonly [string, string])[] {
  const { snapshot, repair, mapping, filesOnly, filesFrom, pairs } = options;
  if (!snapshot) return repair ? [['repair', 'looks at what snapshots do not tell: it needs snapshot']] : [];
  const isListed = filesFrom !== 'off' || pairs.length > 0;
  const faults: (readonly [string, string] | false)[] = [
    mapping !== 'exact' && ['snapshot', 'needs mapping: exact (--exact)'],
    filesOnly && ['snapshot', 'cannot go with filesOnly: a flattened tree has no directories'],
    isListed && ['snapshot', 'needs a whole source: leave out filesFrom and pairs'],
  ];
  return faults.filter((fault) => fault !== false);
}

/** One copy request: the same for the command line, a Lambda, a schedule and a person at a console. */
export const jobSpecSchema = z.strictObject({
  source: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .describe('cluster:/path, or a list of them; HDFS globs allowed'),
  destination: z.string().min(1).describe('cluster:/path'),
  verify: verificationSchema
    .optional()
    .describe(
      'Hold the destination against the source in place of copying, and change nothing. Of the options those count that choose of a tree, name attributes or set limits',
    ),
  dryRun: z
    .boolean()
    .optional()
    .describe('Tell what would be done to each file, and change nothing. Not on one machine: copy --dry-run'),
  options: optionsSchema.prefault({}),
});

export type JobSpec = z.output<typeof jobSpecSchema>;
export type JobOptions = JobSpec['options'];

/** Whether a job only looks at both sides: nothing of them is locked, swept or taken up again. */
export function changesNothing({ verify, dryRun }: Pick<JobSpec, 'verify' | 'dryRun'>): boolean {
  return verify !== undefined || dryRun === true;
}

/** Options that say something to a job that verifies. */
const ofVerification: ReadonlySet<string> = new Set<keyof JobOptions>([
  'mapping',
  'preserve',
  'attributes',
  'threads',
  'bandwidth',
  'namenodeOps',
  'stallTimeout',
  'minRate',
  'include',
  'exclude',
  'filters',
  'filesFrom',
  'pairs',
  'includePattern',
  'minSize',
  'maxSize',
  'modifiedAfter',
  'modifiedBefore',
]);

/** @throws SpecError */
function requireVerification({ source, dryRun, options }: JobSpec): void {
  const defaults = optionsSchema.parse({}) as Readonly<Record<string, unknown>>;
  const wrong = (reason: string, remedy: string) => new SpecError(`the job is wrong: ${reason}`, remedy);
  if (dryRun) throw wrong('verify and dryRun both say what to do', 'leave out one');
  if (source.length > 1) throw wrong('verify takes one source', 'name others with options.pairs');
  for (const [name, value] of Object.entries(options)) {
    if (ofVerification.has(name) || JSON.stringify(value) === JSON.stringify(defaults[name])) continue;
    throw wrong(`options.${name} says how to copy, and verify copies nothing`, `leave out ${name}`);
  }
}

/** Whether a job copies what a list names. */
export function hasList({ filesFrom }: Pick<JobOptions, 'filesFrom'>): boolean {
  return filesFrom !== 'off';
}

/** @throws SpecError that names each wrong field */
export function parseJobSpec(input: unknown): JobSpec {
  const parsed = jobSpecSchema.safeParse(input);
  if (!parsed.success) throw new SpecError(`the job is wrong: ${issuesOf(parsed.error)}`);
  const { options, verify, dryRun } = parsed.data;
  if (verify) requireVerification(parsed.data);
  if (dryRun && options.planOnly)
    throw new SpecError('the job is wrong: a dry run makes no plan that could wait', 'leave out planOnly');
  const preserve = options.preserve || options.attributes.length > 0;
  const { pairs, filesFrom, filesOnly } = options;
  const mapping = verify ? 'exact' : options.mapping;
  if (pairs.length === 0) return { ...parsed.data, options: { ...options, preserve, mapping } };
  if (filesFrom !== 'off' || filesOnly) {
    const beside = filesOnly ? 'filesOnly' : 'filesFrom';
    throw new SpecError(
      `the job is wrong: options.pairs and options.${beside} both say where files go`,
      'leave out one',
    );
  }
  return { ...parsed.data, options: { ...options, preserve, mapping: 'exact' } };
}

/** What the transfers of a job are held to. */
export function paceOf({ stallTimeout, minRate }: Pick<JobOptions, 'stallTimeout' | 'minRate'>): Pace {
  const rate = parseRate(minRate);
  return { stallMs: stallMsOf(stallTimeout), leastRate: rate === 'off' ? 0 : rate };
}

/** @throws Error that says in words what is wrong */
function stallMsOf(stallTimeout: string | number): number | undefined {
  if (stallTimeout === 'auto') return undefined;
  const ms = parseDuration(String(stallTimeout));
  return ms === 'off' ? 0 : ms;
}

/** Options that a resume or a retry may change. All others were settled when the job was planned. */
const changeable: readonly string[] = [
  'existing',
  'force',
  'verify',
  'openFiles',
  'live',
  'threads',
  'maxFailures',
  'maxDelete',
  'bandwidth',
  'namenodeOps',
  'stallTimeout',
  'minRate',
  'partSize',
  'bufferSize',
] satisfies readonly (keyof z.input<typeof optionFields>)[];

/** A job's spec with other options from now on. @throws SpecError that names an option that cannot change, or a wrong value */
export function withOptions(spec: JobSpec, changes: Readonly<Record<string, unknown>>): JobSpec {
  const kept = Object.keys(changes).find((name) => !changeable.includes(name));
  if (kept !== undefined) {
    throw new SpecError(`options.${kept} cannot change: the job keeps its own`, `can change: ${changeable.join(', ')}`);
  }
  const { existing: now, ...others } = spec.options;
  if (!('existing' in changes || 'force' in changes)) {
    return parseJobSpec({ ...spec, options: { ...spec.options, ...changes } });
  }
  const changed = parseJobSpec({ ...spec, options: { ...others, ...changes } });
  const { existing: wanted } = changed.options;
  // `force` says whether files may be replaced, and changes nothing where the job says the same in other words.
  const existing = 'force' in changes && mayReplace(wanted) === mayReplace(now) ? now : changedExisting(now, wanted);
  return { ...changed, options: { ...changed.options, existing } };
}
