import { bytesText } from '../bytes.ts';
import { FanoutError } from '../errors.ts';
import type { JobOptions } from '../job/spec.ts';
import type { FileUnit } from '../job/unit.ts';
import type { Storage } from '../storage/storage.ts';
import type { FileCopy } from './file-copy.ts';

/** A process that lives as long as it takes begins a file anew that has fewer of the smallest parts: each part costs a checksum of all before it. */
const LEAST_PARTS = 4;

/** Whether a file is so long that it is better not begun anew when it is cut off. @param isBounded  whether the time of who copies it is */
export function isLong({ lengthBytes }: FileUnit, { chunkSize }: JobOptions, isBounded: boolean): boolean {
  return lengthBytes > chunkSize * (isBounded ? 1 : LEAST_PARTS);
}

/**
 * Why a file cannot be copied in parts, as far as that can be told before it is tried; undefined where nothing is known against it.
 * @param path  where it goes
 */
export function obstacleToParts(
  unit: FileUnit,
  { direct }: JobOptions,
  destination: Storage,
  path: string,
): string | undefined {
  if (direct) return '--direct writes to the final name';
  if (!destination.appending) return `${destination.name} cannot add to files`;
  if (unit.newStripe) return 'an erasure-coded directory at the destination';
  return destination.appending.refusal(path)?.reason;
}

/** More than a copier ever moves, bytes a second: twice what the network of a Lambda in a VPC gives. @see docs/scale.md */
const MOST_RATE = 156_000_000;

/** @throws TooLongError for a file that goes as one stream and surely outlasts this invocation, and any other */
export function requireTime({ context, unit, sourcePath, destination, destinationPath }: FileCopy): void {
  const { deadline, job } = context;
  if (!deadline || unit.lengthBytes <= (deadline.lastsMs / 1000) * MOST_RATE) return;
  const why =
    obstacleToParts(unit, job.spec.options, destination, destinationPath) ?? 'its server lets nobody add to files';
  throw new TooLongError(sourcePath, unit.lengthBytes, deadline.lastsMs, why);
}

class TooLongError extends FanoutError {
  override readonly name = 'TooLongError';
  constructor(path: string, bytes: number, lastsMs: number, why: string) {
    const reason = `${bytesText(bytes)} do not fit into one invocation of ${Math.round(lastsMs / 1000)} s, and it cannot be copied in parts: ${why}`;
    const remedy = 'split it (--split-above), or copy it with hdfs-fanout copy';
    super(reason, { disposition: 'fail-unit', where: { operation: 'COPY', path }, remedy });
  }
}
