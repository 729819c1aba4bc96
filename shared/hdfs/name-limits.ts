import { randomUUID } from 'node:crypto';
import type { NamenodeRest } from './rest.ts';
import { StorageError } from '../storage/errors.ts';

/** Length of a name that is longer than any limit that anybody sets, and short enough for a URL. */
const LONG_NAME = 2000;

/**
 * How many bytes a namenode lets a name have. To rename a snapshot that does not exist changes nothing, and a namenode looks at
 * the new name first: it quotes its limit. It does so for the directory's owner and the superuser.
 *
 * @returns Infinity where there is no limit; undefined where it does not tell
 * @see Hadoop FSDirSnapshotOp.renameSnapshot
 */
export async function askedNameBytes(
  rest: NamenodeRest,
  directory: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const parameters = { oldsnapshotname: `no-such-${randomUUID()}`, snapshotname: 'x'.repeat(LONG_NAME) };
  try {
    await rest.once(rest.nameservice(directory), 'PUT', 'RENAMESNAPSHOT', directory, parameters, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StorageError)) return undefined;
    return quotedNameBytes(error.reason) ?? (isOfSnapshots(error) ? Infinity : undefined);
  }
}

/** The limit that a refusal quotes. @see Hadoop PathComponentTooLongException */
export function quotedNameBytes(message: string): number | undefined {
  const [, limit] = /maximum path component name limit of .* is exceeded: limit=(\d+) length=/s.exec(message) ?? [];
  return limit === undefined ? undefined : Number(limit);
}

/** Whether the namenode missed the snapshot, for which it looks only after it found nothing wrong with the name. */
function isOfSnapshots({ exception, reason }: StorageError): boolean {
  return (
    exception === 'SnapshotException' || /is not a snapshottable directory|snapshot .* does not exist/i.test(reason)
  );
}
