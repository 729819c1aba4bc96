import { z } from 'zod';

const count = z.int().min(0);
const bytes = z.number().min(0);
const ms = z.number().min(0);
const atMs = z.number();

const fileSchema = z.strictObject({
  path: z.string(),
  bytes,
  tookMs: ms.describe('From when its transfer had its turn, retries included'),
  retries: count,
  endedAtMs: atMs,
});

const latencySchema = z.strictObject({ p50: ms, p95: ms, p99: ms, most: ms });

/** What a job's report says: `hdfs-fanout report --json`. Counts are those of the Job Status; what times and sizes tell comes from the job's lines. */
export const reportSchema = z.strictObject({
  report: z.literal(1).describe('Version of this schema'),
  madeAtMs: atMs,
  madeBy: z.string().describe('hdfs-fanout and its version'),
  job: z.string(),
  source: z.array(z.string()),
  destination: z.string(),
  startedBy: z
    .string()
    .optional()
    .describe(
      'user@host, or an execution, of which CloudTrail tells who started it; missing in jobs of earlier versions',
    ),
  startedAtMs: atMs,
  endedAtMs: atMs,
  mapping: z
    .array(z.strictObject({ source: z.string(), destination: z.string() }))
    .describe('What each match of the source became: the first 100'),
  options: z.record(z.string(), z.unknown()).describe('Options that are not the default'),
  status: z.record(z.string(), z.unknown()).describe('The Job Status, as hdfs-fanout status tells it'),
  sums: z
    .array(
      z.strictObject({
        what: z.enum(['copied', 'skipped', 'failed', 'vanished', 'changed', 'not reached', 'other length by now']),
        files: count,
        bytes: z.number(),
      }),
    )
    .describe('How expected files ended: they add up to what was expected'),
  known: z
    .strictObject({ files: count, missing: count })
    .describe('Files of which lines tell time and size, and files that were copied or looked at and have none'),
  timeline: z.strictObject({
    beganAtMs: atMs,
    stepMs: ms,
    steps: z.array(
      z.strictObject({
        bytes: bytes.describe('Moved within the step; what a file took several steps for is spread over them'),
        files: count.describe('That were copied within it'),
        latency: latencySchema.optional(),
      }),
    ),
  }),
  latency: latencySchema.optional().describe('How long a copied file took, ms; percentiles within 7 %'),
  sizes: z.array(z.strictObject({ below: bytes.nullable(), files: count, bytes })).describe('Copied files by length'),
  slowest: z.array(fileSchema),
  largest: z.array(fileSchema),
  hosts: z
    .array(z.strictObject({ host: z.string(), failedTries: count, lostConnections: count }))
    .describe('Where tries failed, and datanodes to which connections were lost'),
  failures: z.array(
    z.strictObject({
      cause: z.string(),
      files: count,
      hosts: z.array(z.string()),
      examples: z.array(z.strictObject({ path: z.string(), reason: z.string() })),
      again: z.string().optional().describe('The command that tries these files again and no others'),
    }),
  ),
  otherFailures: count.describe('Failures of causes beyond the first 100'),
  deletions: z.strictObject({
    listed: z.array(
      z.strictObject({
        path: z.string(),
        bytes,
        trash: z.string().optional().describe('Where the trash holds it'),
        backup: z.string().optional().describe('Where the backup of the job holds it'),
      }),
    ),
    more: count.describe('Deleted entries that are not listed'),
    trashes: z.array(z.strictObject({ directory: z.string(), entries: count })).describe('Where the trash holds them'),
  }),
  cost: z.record(z.string(), z.unknown()).optional(),
});

export type Report = z.output<typeof reportSchema>;
export type ReportedFile = Report['slowest'][number];
export type Latency = NonNullable<Report['latency']>;
