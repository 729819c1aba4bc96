import {
  FanoutError,
  IntegrityError,
  messageOf,
  SourceChangedError,
  SourceVanishedError,
  TransportError,
} from '../errors.ts';
import { type Again, retry } from '../retry.ts';
import { wholeFile } from '../storage/budget.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import type { Verification } from '../job/spec.ts';
import { attempt } from './attempt.ts';
import type { FileCopy } from './file-copy.ts';
import { refreshed } from './settle.ts';

/**
 * Tries that end in one of the failures that another try seldom mends: a datanode's name that does not resolve, a refusal that is not known
 * here, bytes that differ, a plain IOException after bytes were moved.
 */
const DOUBTFUL_TRIES = 3;

/**
 * Tries a file until it is copied. A source that changes is taken as it is by then, once.
 *
 * @returns the verification level that was reached
 * @throws the last try's error
 */
export function copyWithTries(file: FileCopy): Promise<Verification> {
  return withTries(
    file,
    (number, onMoved) => attempt(file, number, onMoved),
    () => refresh(file),
  );
}

/**
 * Tries a unit until it is copied, as long and as often as its failures promise another end.
 *
 * @param tryOnce  gets its number, from 0 and never the same twice, and what it calls whenever bytes have moved
 * @param refresh  takes a source that has changed as it is by then; left out where that is another unit's content
 * @throws the last try's error
 */
export async function withTries<T>(
  file: FileCopy,
  tryOnce: (number: number, onMoved: () => void) => Promise<T>,
  refresh?: () => Promise<void>,
): Promise<T> {
  const { log, signal } = file.context;
  const patience = new Patience();
  let isChanged = false;
  let hasMoved = false;
  let progressedAtMs = 0;
  const again = (error: unknown): Again => {
    log.warn({ path: file.sourcePath, error: messageOf(error) }, 'a try failed');
    if (error instanceof FanoutError && error.where?.host) file.hosts.push(error.where.host);
    if (refresh && error instanceof SourceChangedError && !isChanged) {
      isChanged = true;
      return 'soon';
    }
    return patience.after(error, hasMoved);
  };
  const onMoved = () => {
    hasMoved = true;
    progressedAtMs = performance.now();
  };
  const attempted = async (number: number) => {
    if (number > 0) {
      file.retries += 1;
      await file.noteAttempt(number);
      if (isChanged) await refresh?.();
    }
    hasMoved = false;
    return tryOnce(number, onMoved);
  };
  return retry(wholeFile, signal, again, attempted, () => progressedAtMs);
}

/** What is done after each failed try of one unit. */
export class Patience {
  #doubtful = 0;

  /** @param hasMoved  whether the try moved bytes, which then move again */
  after(error: unknown, hasMoved: boolean): Again {
    if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
    // A failure that is not known here is not paid for with a file's bytes again.
    if (hasCode(error, 'other') && hasMoved) return 'no';
    const asked = error instanceof StorageError ? error.retryAfterMs : undefined;
    const usual = asked === undefined ? 'soon' : { afterMs: asked };
    if (!isDoubtful(error, hasMoved)) return usual;
    this.#doubtful += 1;
    if (this.#doubtful >= DOUBTFUL_TRIES) return 'no';
    // A datanode that is gone for a moment takes a while to come back.
    return hasCode(error, 'io', 'no-block') ? 'late' : usual;
  }
}

/** Takes the source as it is now. @throws SourceVanishedError */
export async function refresh(file: FileCopy): Promise<void> {
  const { source, sourcePath, context } = file;
  const status = await source.stat(sourcePath, context.signal);
  if (!status) throw new SourceVanishedError({ operation: 'GETFILESTATUS', path: sourcePath });
  file.unit = refreshed(file.unit, status);
}

/** Whether another try seldom mends a failure. @param hasMoved  whether the try moved bytes, which then move again */
function isDoubtful(error: FanoutError, hasMoved: boolean): boolean {
  if (error instanceof IntegrityError || hasCode(error, 'other')) return true;
  return isUnresolved(error) || (hasMoved && hasCode(error, 'io', 'no-block') && !error.mayHaveWorked);
}

function isUnresolved(error: FanoutError): boolean {
  const { cause } = error;
  return error instanceof TransportError && cause instanceof Error && 'code' in cause && cause.code === 'ENOTFOUND';
}
