import type { Quota, Room } from '../storage/capabilities.ts';
import { hasCode } from '../storage/errors.ts';
import { parentOf } from '../storage/path.ts';
import type { NamenodeRest } from './rest.ts';

/** Every namespace's root has this quota of names, Java's largest long. */
const ROOT_QUOTA = 2 ** 63;

/** Hadoop's QuotaUsage and ContentSummary. */
interface Usage {
  /** Names; -1 for no quota. */
  readonly quota: number;
  /** Bytes with all replicas; -1 for no quota. */
  readonly spaceQuota: number;
  readonly spaceConsumed: number;
  readonly fileAndDirectoryCount?: number;
  readonly fileCount?: number;
  readonly directoryCount?: number;
}

/** What is left at a path and above it. A server may not know some of what is asked, or not tell this user. */
export async function roomAt(path: string, rest: NamenodeRest, signal: AbortSignal): Promise<Room> {
  const [status, defaults, quotas] = await Promise.all([
    told(() => rest.json<{ FsStatus: Disks }>('GET', 'GETSTATUS', path, {}, signal)),
    told(() => rest.json<{ FsServerDefaults: Defaults }>('GET', 'GETSERVERDEFAULTS', path, {}, signal)),
    quotasAbove(path, rest, signal),
  ]);
  return {
    capacityBytes: status?.FsStatus.capacity,
    freeBytes: status?.FsStatus.remaining,
    replication: defaults?.FsServerDefaults.replication,
    quotas,
  };
}

interface Disks {
  readonly capacity: number;
  readonly remaining: number;
}

interface Defaults {
  readonly replication?: number;
}

/** @returns undefined where nothing is told */
async function quotasAbove(
  path: string,
  rest: NamenodeRest,
  signal: AbortSignal,
): Promise<readonly Quota[] | undefined> {
  const quotas: Quota[] = [];
  let isTold = false;
  for (let at = path; ; at = parentOf(at)) {
    const directory = at;
    const usage: Usage | undefined =
      (await told(() => rest.json<{ QuotaUsage: Usage }>('GET', 'GETQUOTAUSAGE', directory, {}, signal)))?.QuotaUsage ??
      // Every server has it, and it counts all that is in a directory: only of the nearest one that exists.
      (isTold ? undefined : await summaryOf(directory, rest, signal));
    const quota = usage && quotaOf(directory, usage);
    if (quota) quotas.push(quota);
    isTold ||= usage !== undefined;
    if (at === '/') return isTold ? quotas : undefined;
  }
}

async function summaryOf(path: string, rest: NamenodeRest, signal: AbortSignal): Promise<Usage | undefined> {
  if (path === '/') return undefined;
  const counted = await told(() => rest.json<{ ContentSummary: Usage }>('GET', 'GETCONTENTSUMMARY', path, {}, signal));
  return counted?.ContentSummary;
}

function quotaOf(path: string, usage: Usage): Quota | undefined {
  const { quota, spaceQuota, spaceConsumed, fileAndDirectoryCount, fileCount = 0, directoryCount = 0 } = usage;
  const names = fileAndDirectoryCount ?? fileCount + directoryCount;
  const namesLeft = isSet(quota) ? quota - names : undefined;
  const bytesLeft = isSet(spaceQuota) ? spaceQuota - spaceConsumed : undefined;
  return namesLeft === undefined && bytesLeft === undefined ? undefined : { path, namesLeft, bytesLeft };
}

function isSet(quota: number): boolean {
  return quota >= 0 && quota < ROOT_QUOTA;
}

/** An answer; undefined where the server does not know the operation, has no such path, or does not tell this user. */
async function told<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (
      hasCode(error, 'not-found', 'not-a-directory', 'denied', 'invalid', 'unsupported', 'not-webhdfs', 'other', 'io')
    )
      return undefined;
    throw error;
  }
}
