import { FanoutError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Attribute } from './attributes.ts';

/** Warning of a skipped file whose extended attributes were not compared, because nobody asked for them by name. */
export const XATTR_NOT_COMPARED = 'xattr not compared';

/** An attribute that could not be set, and why. */
export interface Loss {
  readonly attribute: Attribute;
  readonly error: FanoutError;
}

/** An attribute that was asked for by name, and that one of the two storages does not have. */
export class NoSuchAttributeError extends FanoutError {
  override readonly name = 'NoSuchAttributeError';
  constructor(storage: string, attribute: Attribute, path: string) {
    super(`${storage} keeps no ${attribute}`, {
      disposition: 'fail-unit',
      where: { operation: 'PRESERVE', path },
      remedy: `leave ${attribute} out of --attributes`,
    });
  }
}

/** A block of an erasure-coded file holds at least a cell. */
export class SmallBlockError extends FanoutError {
  override readonly name = 'SmallBlockError';
  constructor(blockBytes: number, cellBytes: number, path: string) {
    super(`blocks of ${blockBytes} bytes are smaller than the cells of ${cellBytes} of the erasure coding policy`, {
      disposition: 'fail-unit',
      where: { operation: 'PRESERVE', path },
      remedy: 'leave blocksize out of --attributes',
    });
  }
}

/** A reason without what it quotes, which differs from file to file: few different ones come of many files. */
export function reasonOf({ attribute, error }: Loss): string {
  return `${attribute}: ${kindOf(error)}`;
}

/** What is common to many errors: the reason without what it quotes, and what to do. */
export function kindOf({ reason, remedy }: FanoutError): string {
  const common = reason.split(/["/[]/)[0]?.replace(/\s+(?:for|of|in|inode=|parameter)?\s*$/, '') ?? '';
  return `${common}${remedy === undefined ? '' : ` (${remedy})`}`;
}

const told = new WeakMap<Log, Set<string>>();

/** Each reason once in a log. */
export function tellOnce(log: Log, losses: readonly Loss[]): void {
  const known = told.get(log) ?? new Set();
  told.set(log, known);
  for (const loss of losses) {
    const reason = reasonOf(loss);
    if (!known.has(reason))
      log.warn({ attribute: loss.attribute, error: loss.error.message }, 'an attribute is not kept');
    known.add(reason);
  }
}
