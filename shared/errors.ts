/**
 * What the caller does next: try this unit again, give up this unit, or stop the job.
 * Errors say this themselves: whether something is tried again never depends on the text of a message. What servers only say in words
 * becomes a code where it comes in, in shared/hdfs.
 */
export type Disposition = 'retry' | 'fail-unit' | 'fail-job';

/** Where an operation failed. A person can rerun it with curl from these three. */
export interface Where {
  /** WebHDFS operation (`OPEN`, `CREATE`, …), or `READ`/`WRITE`/… on the local disk. */
  readonly operation: string;
  readonly path: string;
  /** `host:port` that answered or did not; never a URL, since URLs carry tokens. */
  readonly host?: string;
}

interface Details {
  readonly disposition: Disposition;
  readonly where?: Where | undefined;
  /** What the reader does about it: one imperative sentence without a full stop. */
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
  readonly mayHaveWorked?: boolean;
}

/** An expected failure. Its message is one line: operation, path, host, what came back, what to do. */
export abstract class FanoutError extends Error {
  readonly disposition: Disposition;
  readonly where: Where | undefined;
  readonly remedy: string | undefined;
  /** No answer came from the server itself, which may have done what it was asked. */
  readonly mayHaveWorked: boolean;
  /** What came back, without operation, path, host and remedy. */
  readonly reason: string;

  constructor(reason: string, details: Details) {
    const { where, remedy } = details;
    const failedAt = where
      ? `${where.operation} ${printable(where.path)}${where.host ? ` on ${printable(where.host)}` : ''}: `
      : '';
    super(`${failedAt}${oneLine(reason)}${remedy ? ` (${oneLine(remedy)})` : ''}`, { cause: details.cause });
    this.reason = oneLine(reason);
    this.disposition = details.disposition;
    this.where = where;
    this.remedy = remedy;
    this.mayHaveWorked = details.mayHaveWorked ?? false;
  }
}

/** The request or the configuration is wrong: nothing was asked of a cluster yet. */
export class SpecError extends FanoutError {
  override readonly name = 'SpecError';
  constructor(reason: string, remedy?: string, cause?: unknown) {
    super(reason, { disposition: 'fail-job', remedy, cause });
  }
}

/** The clusters were asked and the job as asked for cannot be done: no source match, a conflict, a missing parent. */
export class RefusedError extends FanoutError {
  override readonly name = 'RefusedError';
  constructor(reason: string, remedy?: string) {
    super(reason, { disposition: 'fail-job', remedy });
  }
}

/** A host could not be reached, or the connection broke: DNS, refused, reset, TLS, timeout, a body cut short. */
export class TransportError extends FanoutError {
  override readonly name = 'TransportError';
  constructor(reason: string, where: Where, options: { remedy?: string; cause?: unknown; disposition?: Disposition }) {
    super(reason, { disposition: 'retry', where, mayHaveWorked: true, ...options });
  }
}

/** No address of a nameservice could serve a request for as long as the cluster's retry time-out. */
export class UnavailableError extends FanoutError {
  override readonly name = 'UnavailableError';
  constructor(reason: string, where: Where, remedy: string | undefined, cause: unknown) {
    super(reason, { disposition: 'fail-job', where, remedy, cause });
  }
}

/** The source file is not the one that was planned: it changed or vanished while it was read. */
export class SourceChangedError extends FanoutError {
  override readonly name = 'SourceChangedError';
  constructor(reason: string, where: Where, remedy = 'copy it again when its writer is done, or copy from a snapshot') {
    super(reason, { disposition: 'fail-unit', where, remedy });
  }
}

/** Somebody writes the source file: it is whole at no length. */
export class OpenFileError extends FanoutError {
  override readonly name = 'OpenFileError';
  /** The code of a storage's own refusal for this reason. */
  readonly code = 'open';
  constructor(where: Where) {
    super('open for writing', { disposition: 'fail-unit', where, remedy: 'copy from a snapshot' });
  }
}

/** The source file is gone. */
export class SourceVanishedError extends FanoutError {
  override readonly name = 'SourceVanishedError';
  constructor(where: Where) {
    super('it vanished before it was copied', {
      disposition: 'fail-unit',
      where,
      remedy: 'copy again what is there now',
    });
  }
}

/** What was written is not what was read. */
export class IntegrityError extends FanoutError {
  override readonly name = 'IntegrityError';
  constructor(reason: string, where: Where, remedy = 'check the disks and memory of the datanode') {
    super(reason, { disposition: 'retry', where, remedy });
  }
}

/** Another copier owns the batch now: this one stops without a further write. */
export class SupersededError extends FanoutError {
  override readonly name = 'SupersededError';
  constructor(batch: number) {
    super(`batch ${batch} was taken over by another copier`, { disposition: 'fail-job' });
  }
}

/** The job was stopped, failed as a whole or has ended: none of its batches may be taken any more. */
export class JobClosedError extends FanoutError {
  override readonly name = 'JobClosedError';
  constructor(job: string) {
    super(`job ${job} is closed`, { disposition: 'fail-job', remedy: 'start it again with hdfs-fanout retry' });
  }
}

/** Another job writes to an overlapping destination. */
export class DestinationBusyError extends FanoutError {
  override readonly name = 'DestinationBusyError';
  constructor(reason: string, remedy: string) {
    super(reason, { disposition: 'fail-job', remedy });
  }
}

/** More files failed than `maxFailures` allows. */
export class TooManyFailuresError extends FanoutError {
  override readonly name = 'TooManyFailuresError';
  constructor(failures: number, limit: number, remedy: string) {
    super(`${failures} files failed, more than the limit of ${limit}`, { disposition: 'fail-job', remedy });
  }
}

/** The job's files are not all accounted for: it may not call itself ended. */
export class IncompleteError extends FanoutError {
  override readonly name = 'IncompleteError';
  constructor(expected: number, settled: number) {
    const reason = `the job does not add up: ${expected} files were planned, and ${settled} were copied, skipped or failed`;
    super(reason, { disposition: 'fail-job', remedy: 'resume it; if it says so again, copy anew with --force' });
  }
}

/** This machine's own records of a job cannot be read or written: a full or read-only disk, a file that is gone or cut short. */
export class StateError extends FanoutError {
  override readonly name = 'StateError';
  constructor(reason: string, remedy: string, cause?: unknown) {
    super(reason, { disposition: 'fail-job', remedy, cause });
  }
}

/** One line from anything that was thrown. */
export function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

/**
 * A path for a person: what would move the cursor, colour the terminal or turn the direction of writing is escaped, so that a name with a
 * newline stays on its line.
 */
export function printable(path: string): string {
  return path.replace(UNPRINTABLE, (character) => {
    const short = JSON.stringify(character).slice(1, -1);
    return short.length > 1 ? short : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Control characters of ASCII and Latin-1, ends of lines, and what changes the direction of writing. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** What terminals obey: control sequences, and strings such as a window's title. @see ECMA-48 */
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b./g;

/** What others say, on one line and without what a terminal would obey. */
function oneLine(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
    .replace(/\t/g, ' ')
    .replace(UNPRINTABLE, '')
    .trim();
}
