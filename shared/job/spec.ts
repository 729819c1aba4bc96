import { z } from 'zod';
import { SpecError } from '../errors.ts';
import { issuesOf } from '../issues.ts';
import { attributeNames } from '../preserve/attributes.ts';
import { faultInTimetable } from '../limits/timetable.ts';
import { changedExisting, existingChoices, existingOf, mayReplace } from './existing.ts';
import { faultOf } from '../storage/pattern.ts';

const powerOfTwo = z
  .int()
  .min(512)
  .max(2 ** 30)
  .refine((value) => Number.isInteger(Math.log2(value)), 'expected a power of two');

/** How a copied file is proved to be its source, from strong to weak. */
export const verificationLevels = ['checksum', 'read-back', 'length', 'none'] as const;
export type Verification = (typeof verificationLevels)[number];

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
  mapping: z
    .enum(['cp', 'exact'])
    .default('cp')
    .describe('cp: into an existing directory, else under the new name. exact: the destination is the copied root'),
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
  direct: z.boolean().default(false).describe('Write to the final name: saves a rename, readers see half files'),
  threads: z
    .union([z.int().min(0).max(10_000), z.literal('auto')], 'expected a whole number, or auto')
    .default(0)
    .describe(
      'Transfers at once; 0: as many as both clusters allow; auto: as many as pay, within that; in AWS auto is as 0',
    ),
  bandwidth: z
    .string()
    .superRefine((text, context) => {
      const fault = faultInTimetable(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .default('off')
    .describe(
      'Bytes a second over the whole job, such as 50M (K, M, G, T: multiples of 1,024), or a timetable such as "08:00,50M 19:00,off Europe/Berlin"; off: no limit. A copied byte counts once, one that is read to compare or verify as well',
    ),
  namenodeOps: z
    .union([z.int().min(1).max(1_000_000), z.literal('off')])
    .default('off')
    .describe("Requests a second to each cluster's namenodes over the whole job; off: no limit"),
  partSize: powerOfTwo.default(65_536).describe('Bytes read at once from the local disk, a power of two'),
  bufferSize: powerOfTwo.default(65_536).describe('Accepted from pydistcp: the servers choose their own buffers'),
  includePattern: z
    .string()
    .min(1)
    .superRefine((pattern, context) => {
      const fault = faultOf(pattern);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .default('*')
    .describe('Only files whose base name matches this glob, hidden ones too'),
  minSize: z.int().min(0).default(0).describe('Only files of at least this many bytes'),
  filesOnly: z.boolean().default(false).describe('Flatten: all files directly under the destination'),
  splitAbove: z
    .union([z.int().min(0), z.literal('auto')], 'expected a whole number, or auto')
    .default(0)
    .describe(
      'Files of more bytes are copied in chunks, by many transfers at once, where the destination allows it; 0, the default: none. auto: 1 GiB, and four blocks at least',
    ),
  chunkSize: z
    .int()
    .min(2 ** 20)
    .default(2 ** 30)
    .describe('Bytes of a chunk, at least 1 MiB; rounded up to a multiple of the blocks of both sides'),
  maxFailures: z.int().min(0).default(1000).describe('The job ends when more files than this have failed'),
  delete: z
    .boolean()
    .default(false)
    .describe(
      'After every copy has succeeded, move what the destination has and the source has not into the trash; needs mapping: exact',
    ),
  skipTrash: z.boolean().default(false).describe('With delete: delete for good, in place of moving into the trash'),
  maxDelete: z
    .union(
      [z.int().min(0), z.string().regex(/^(?:100|[1-9]?\d)%$/), z.literal('auto')],
      'expected a number of files, a share such as 5%, or auto',
    )
    .default('auto')
    .describe(
      "With delete: where more files than this would go, none goes, and the job ends. N; N% of the destination's files; auto: 10% and 10,000, whichever is less, and 20 in any case where the source has a file",
    ),
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
  for (const [path, message] of faultsOfDeletes(options)) context.addIssue({ code: 'custom', path: [path], message });
  return { existing: existing ?? existingOf(force ?? false, checksum ?? true), ...options };
});

function faultsOfDeletes(
  options: Pick<
    z.output<typeof optionFields>,
    'delete' | 'skipTrash' | 'maxDelete' | 'trackMissing' | 'mapping' | 'filesOnly'
  >,
): (readonly [string, string])[] {
  const { delete: deletes, skipTrash, maxDelete, trackMissing, mapping, filesOnly } = options;
  const looks = deletes ? 'delete' : trackMissing === '' ? undefined : 'trackMissing';
  const faults: (readonly [string, string] | false)[] = [
    looks !== undefined && mapping !== 'exact' && [looks, 'needs mapping: exact (--exact)'],
    looks !== undefined && filesOnly && [looks, 'cannot go with filesOnly: a flattened tree has no directories'],
    deletes && trackMissing !== '' && ['trackMissing', 'lists in place of deleting: leave out delete'],
    skipTrash && !deletes && ['skipTrash', 'says how to delete: it needs delete'],
    maxDelete !== 'auto' && !deletes && ['maxDelete', 'limits what is deleted: it needs delete'],
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
  options: optionsSchema.prefault({}),
});

export type JobSpec = z.output<typeof jobSpecSchema>;
export type JobOptions = JobSpec['options'];

/** @throws SpecError that names each wrong field */
export function parseJobSpec(input: unknown): JobSpec {
  const parsed = jobSpecSchema.safeParse(input);
  if (!parsed.success) throw new SpecError(`the job is wrong: ${issuesOf(parsed.error)}`);
  const { options } = parsed.data;
  const preserve = options.preserve || options.attributes.length > 0;
  return { ...parsed.data, options: { ...options, preserve } };
}

/** Options that a resume or a retry may change. All others were settled when the job was planned. */
const changeable: readonly string[] = [
  'existing',
  'force',
  'verify',
  'openFiles',
  'threads',
  'maxFailures',
  'maxDelete',
  'bandwidth',
  'namenodeOps',
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
