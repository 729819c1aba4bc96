import type { Job } from './job.ts';
import type { Root } from './root.ts';
import type { Verification } from './spec.ts';
import { chunkCount, chunkRange } from './chunk.ts';
import { type ChunkUnit, type FileUnit, sourcePathOf, type Unit } from './unit.ts';

/** Where and why one file failed. */
export interface Failure {
  readonly path: string;
  readonly operation: string;
  readonly host: string;
  /** What the server answered and what to do next, in one line. */
  readonly reason: string;
  /** What became of the source meanwhile, where that is why. */
  readonly overtaken?: Overtaken;
  /** It is a directory, which vanished while it was walked. */
  readonly directory?: true;
  /** Of a comparison: the lines of its report. */
  readonly findings?: readonly object[];
}

/** What may become of a source while a job runs: it is gone, or has other content, or somebody writes it. */
export type Overtaken = 'vanished' | 'changed';

/** How one unit ended. */
export type UnitOutcome = FileOutcome | ChunkOutcome;

/** What is recorded: how a unit ended, a deletion, or a comparison. */
export type Recorded = UnitOutcome | DeleteOutcome | ComparedOutcome;

/**
 * How a file ended, whichever step was its last. Each planned file gets exactly one of these, and only these count files: the outcome of a
 * step that does not end its file is another type.
 */
export type FileOutcome = CopiedOutcome | SkippedOutcome | FailedOutcome | OvertakenOutcome;
export type FileEnding = FileOutcome['outcome'];

/** Of which file an outcome is, and when it ended. */
export interface Timing {
  /** As a person knows it: not in a snapshot. */
  readonly path: string;
  readonly endedAtMs: number;
  readonly tookMs: number;
}

interface Ended {
  /** Index of the unit in its batch. */
  readonly unit: number;
  /** Bytes that the outcome stands for: written, left alone, or missing. */
  readonly bytes: number;
  /** Tries of the unit after the first one. */
  readonly retries: number;
  /** What the report of the job is made of. */
  readonly timing?: Timing;
  /** Hosts at which a try failed, each as often as one did. */
  readonly hosts?: readonly string[];
  /** What a try wrote may still stand under its temporary name: it could not be deleted. */
  readonly remains?: true;
  /** Of a file that chunks copied and that has ended for good: their bytes, which were counted for themselves until now. */
  readonly chunkBytes?: number;
  /**
   * Told with the outcome, and not of its unit: connections that the copier has lost since the outcome before, by what a person is told of
   * them. What is recorded with an outcome is counted once.
   */
  readonly lostConnections?: Readonly<Record<string, number>>;
}

/** What an outcome tells of attributes. */
export interface ToldOfAttributes {
  /** Attributes that could not be preserved. */
  readonly warnings?: readonly string[];
  /** Why attributes could not be preserved, without paths: `acl: …`. */
  readonly reasons?: readonly string[];
}

/** What is known of a file that a job made, so that an undo tells it from others. */
export interface Made {
  /** Another file stood there before, or may have. */
  readonly replaced?: true;
  /** Inode, where the file was looked at. */
  readonly fileId?: number;
  /** Of the file, where that is known. */
  readonly modifiedAtMs?: number;
}

/** As it is recorded. */
export interface MadeFile extends Made {
  readonly bytes: number;
}

export interface CopiedOutcome extends Ended, ToldOfAttributes {
  readonly outcome: 'copied';
  readonly made?: Made;
  /** The verification level that was reached. */
  readonly verification: Verification;
}

export interface SkippedOutcome extends Ended, ToldOfAttributes {
  readonly outcome: 'skipped';
  readonly reason: string;
  /** The attributes of the file that stands at the destination were brought up to date. */
  readonly updated?: true;
}

export interface FailedOutcome extends Ended {
  readonly outcome: 'failed';
  readonly failure: Failure;
}

/**
 * A file that was not copied because its source vanished or changed, of a job that takes this for no failure (`live`). What stands at the
 * destination was left as it was. It is told of among the failures, and taken up again with them.
 */
export interface OvertakenOutcome extends Ended {
  readonly outcome: Overtaken;
  readonly failure: Failure;
}

/** How the copy of a chunk ended. Its file is counted when it is put together. */
export type ChunkOutcome = CopiedChunk | FailedChunk;

interface EndedChunk extends Ended {
  readonly kind: 'chunk';
  /** Number of its file among the split ones. */
  readonly split: number;
  readonly chunk: number;
}

/** A chunk that stands whole under its name. */
export interface CopiedChunk extends EndedChunk, ToldOfAttributes {
  readonly outcome: 'copied';
  readonly verification: Verification;
  /** Digests of its blocks in base64, by layout: those of all chunks add up to the checksum of the file. */
  readonly digests: Readonly<Record<string, string>>;
  /** Inode of the file that holds it. */
  readonly fileId?: number;
}

/** The unit stays without an outcome, so that a resumed job copies it. */
export interface FailedChunk extends EndedChunk {
  readonly outcome: 'failed';
  readonly failure: Failure;
}

export function isOfChunk(outcome: Recorded): outcome is ChunkOutcome {
  return 'kind' in outcome && outcome.kind === 'chunk';
}

/** How a deletion ended. What is kept is no failure: it turned out that it may not be deleted. */
export type DeleteOutcome = DeletedOutcome | KeptOutcome | FailedDelete;

interface EndedDelete extends Ended {
  readonly kind: 'delete';
  /** Files that the outcome stands for: a directory that goes whole takes its files along. */
  readonly files: number;
}

export interface DeletedOutcome extends EndedDelete {
  readonly outcome: 'deleted';
  /** Where the trash holds it, or the backup of a job that keeps one, if it went there and the answer came. */
  readonly trash?: string;
}

export interface KeptOutcome extends EndedDelete {
  readonly outcome: 'kept';
  readonly reason: string;
}

export interface FailedDelete extends EndedDelete {
  readonly outcome: 'failed';
  readonly failure: Failure;
}

/** How a comparison ended, of a job that verifies. */
export interface ComparedOutcome extends Ended {
  readonly kind: 'compare';
  readonly outcome: 'compared';
  /** What it adds to the job's counters. */
  readonly counters: Readonly<Record<string, number>>;
  /** What was found; left out where all is alike. */
  readonly failure?: Failure;
}

/** An outcome that a store keeps with the reason: of what was neither done nor left alone on purpose. Those of chunks are kept elsewhere. */
export type Unsettled =
  FailedOutcome | OvertakenOutcome | FailedDelete | (ComparedOutcome & Required<Pick<ComparedOutcome, 'failure'>>);

export function isUnsettled(outcome: Recorded): outcome is Unsettled {
  return !isOfChunk(outcome) && 'failure' in outcome;
}

function isOfDelete(outcome: Recorded): outcome is DeleteOutcome {
  return 'kind' in outcome && outcome.kind === 'delete';
}

function isOfComparison(outcome: Recorded): outcome is ComparedOutcome {
  return 'kind' in outcome && outcome.kind === 'compare';
}

/** The outcome of a unit whose copier ended before the unit did. */
export function failedOutcome(roots: readonly Root[], index: number, unit: FileUnit, reason: string): FailedOutcome;
export function failedOutcome(
  roots: readonly Root[],
  index: number,
  unit: Unit,
  reason: string,
): FailedOutcome | FailedChunk;
export function failedOutcome(
  roots: readonly Root[],
  index: number,
  unit: Unit,
  reason: string,
): FailedOutcome | FailedChunk {
  const failure = { operation: 'COPY', host: '', reason };
  if (unit.kind === 'chunk') return failedChunk(unit, index, 0, { path: sourcePathOf(roots, unit.file), ...failure });
  const path = sourcePathOf(roots, unit);
  return { unit: index, outcome: 'failed', bytes: unit.lengthBytes, retries: 0, failure: { path, ...failure } };
}

/** @param failure  its reason says nothing yet of which chunk it is */
export function failedChunk({ file, chunk }: ChunkUnit, index: number, retries: number, failure: Failure): FailedChunk {
  const reason = `chunk ${chunk + 1} of ${chunkCount(file)}: ${failure.reason}`;
  const { lengthBytes: bytes } = chunkRange(file, chunk);
  const told = { unit: index, bytes, retries, failure: { ...failure, reason } };
  return { kind: 'chunk', split: file.split.number, chunk, outcome: 'failed', ...told };
}

/** Sums over recorded outcomes: `files.copied`, `bytes.copied`, `verified.checksum`, `skipped.<reason>`, `retries`, … */
export type Counters = ReadonlyMap<string, number>;

/** Counters of planning: directories that had all that is carried over, and those that are to be looked at when the job ends. */
export const DIRECTORIES_EQUAL = 'directories.equal';
export const DIRECTORIES_DUE = 'directories.due';

/** Counters of a job whose planning has settled files by itself. */
export function withPlanned(counters: Counters, { planned = {} }: Pick<Job, 'planned'>): Counters {
  const sums = new Map(counters);
  for (const [name, value] of Object.entries(planned)) sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}

/** The counters that an outcome adds to. */
export function countersOf(outcome: Recorded): Map<string, number> {
  if (isOfDelete(outcome)) return countersOfDelete(outcome);
  if (isOfComparison(outcome)) return new Map(Object.entries(outcome.counters));
  const counters = isOfChunk(outcome) ? countersOfChunk(outcome) : countersOfEnded(outcome);
  for (const [text, count] of Object.entries(outcome.lostConnections ?? {})) counters.set(`warnings.${text}`, count);
  return counters;
}

function countersOfEnded(outcome: FileOutcome): Map<string, number> {
  const counters = countersOfFile(outcome);
  switch (outcome.outcome) {
    case 'copied':
      counters.set(`verified.${outcome.verification}`, 1);
      addAttributes(counters, outcome);
      break;
    case 'skipped':
      counters.set(`skipped.${outcome.reason}`, 1);
      if (outcome.updated) counters.set('attributes.updated', 1);
      addAttributes(counters, outcome);
      break;
    case 'failed':
      if (outcome.failure.overtaken) counters.set(`failed.${outcome.failure.overtaken}`, 1);
      break;
    case 'vanished':
    case 'changed':
      break;
  }
  return counters;
}

/** `chunks.bytes`: of chunks whose file is not counted yet. */
function countersOfChunk({ outcome, bytes, retries }: ChunkOutcome): Map<string, number> {
  const counters = new Map<string, number>();
  if (outcome === 'copied') counters.set('chunks.bytes', bytes);
  if (retries > 0) counters.set('retries', retries);
  return counters;
}

/** None of these is counted among the files that were to be copied. */
function countersOfDelete(ended: DeleteOutcome): Map<string, number> {
  const { files, bytes } = ended;
  switch (ended.outcome) {
    case 'deleted':
      return new Map([
        ['deletes.files', files],
        ['deletes.bytes', bytes],
      ]);
    case 'kept':
      return new Map([[`kept.${ended.reason}`, 1]]);
    case 'failed':
      return new Map([['deletes.failed', 1]]);
  }
}

/** Counts a file: outcomes of files alone come here, and a file has one. */
function countersOfFile({ outcome, bytes, retries, chunkBytes }: FileOutcome): Map<string, number> {
  const counters = new Map([
    [`files.${outcome}`, 1],
    [`bytes.${outcome}`, bytes],
  ]);
  if (retries > 0) counters.set('retries', retries);
  if (chunkBytes !== undefined) counters.set('chunks.bytes', -chunkBytes);
  return counters;
}

function addAttributes(counters: Map<string, number>, { warnings = [], reasons = [] }: ToldOfAttributes): void {
  for (const reason of reasons) counters.set(`reasons.${reason}`, 1);
  for (const warning of warnings) counters.set(`warnings.${warning}`, (counters.get(`warnings.${warning}`) ?? 0) + 1);
}
