import { bytesText } from '../bytes.ts';
import { type Context, needed, type Serving } from './context.ts';
import { type Finding, failed, ok, skipped, warning } from './row.ts';
import { hasCode } from '../storage/errors.ts';

/** Share of a quota or of a cluster that should be left. */
const SCARCE = 0.1;

/** The root of every namespace has this quota of names, Java's largest long. */
const ROOT_QUOTA = 2 ** 63;

interface Quota {
  /** Names; -1 for no quota. */
  readonly quota: number;
  /** Bytes with all replicas; -1 for no quota. */
  readonly spaceQuota: number;
  readonly spaceConsumed: number;
  readonly fileAndDirectoryCount?: number;
  readonly fileCount?: number;
  readonly directoryCount?: number;
}

/** What PATH's own quota and the cluster's disks have left. */
export async function space(context: Context): Promise<void> {
  const { signal } = context;
  await context.atPath('quota', (serving) => quotaOf(serving, signal));
  await context.atPath('space', (serving) => freeOf(serving, signal));
}

async function quotaOf({ endpoint, path, directory }: Serving, signal: AbortSignal): Promise<Finding> {
  if (!directory) return needed('path');
  for (const operation of ['GETQUOTAUSAGE', 'GETCONTENTSUMMARY']) {
    try {
      const { text } = await endpoint.ask('GET', operation, path, {}, signal);
      const [usage] = Object.values(JSON.parse(text) as Record<string, Quota>);
      if (usage) return quotaFinding(usage);
    } catch (error) {
      if (!isUnknown(error)) throw error;
    }
  }
  return skipped('the server does not tell');
}

export function quotaFinding(usage: Quota): Finding {
  const names = usage.fileAndDirectoryCount ?? (usage.fileCount ?? 0) + (usage.directoryCount ?? 0);
  const limits = [
    { limit: usage.quota, left: usage.quota - names, text: `${usage.quota - names} of ${usage.quota} names` },
    {
      limit: usage.spaceQuota,
      left: usage.spaceQuota - usage.spaceConsumed,
      text: `${bytesText(usage.spaceQuota - usage.spaceConsumed)} of ${bytesText(usage.spaceQuota)} with replicas`,
    },
  ].filter(({ limit }) => limit >= 0 && limit < ROOT_QUOTA);
  if (limits.length === 0) return ok('PATH itself has none');
  const found = `left: ${limits.map(({ text }) => text).join(', ')}`;
  if (limits.some(({ left }) => left <= 0))
    return failed(found, 'raise the quota (hdfs dfsadmin -setSpaceQuota) or delete files');
  return limits.some(({ limit, left }) => left < limit * SCARCE)
    ? warning(found, 'raise the quota in time')
    : ok(found);
}

async function freeOf(serving: Serving, signal: AbortSignal): Promise<Finding> {
  const free = (await status(serving, signal)) ?? (await told(serving, signal));
  if (!free) return skipped('the server does not tell');
  const { capacity, remaining } = free;
  const found = `${bytesText(remaining)} of ${bytesText(capacity)} are free, shared by all replicas`;
  return remaining < capacity * SCARCE ? warning(found, 'make sure that what is to be copied fits') : ok(found);
}

interface Free {
  readonly capacity: number;
  readonly remaining: number;
}

async function status({ endpoint }: Serving, signal: AbortSignal): Promise<Free | undefined> {
  try {
    const { text } = await endpoint.ask('GET', 'GETSTATUS', '/', {}, signal);
    return (JSON.parse(text) as { FsStatus: Free }).FsStatus;
  } catch (error) {
    if (isUnknown(error)) return undefined;
    throw error;
  }
}

/** What older namenodes tell by JMX. */
async function told({ endpoint }: Serving, signal: AbortSignal): Promise<Free | undefined> {
  const bean = await endpoint.bean('FSNamesystemState', signal);
  const [capacity, remaining] = [bean?.['CapacityTotal'], bean?.['CapacityRemaining']];
  return typeof capacity === 'number' && typeof remaining === 'number' ? { capacity, remaining } : undefined;
}

/** An operation that the server is too old for, or that this user may not ask for. */
function isUnknown(error: unknown): boolean {
  return (
    error instanceof SyntaxError || hasCode(error, 'invalid', 'unsupported', 'not-webhdfs', 'denied', 'other', 'io')
  );
}
