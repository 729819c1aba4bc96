import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, type DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { DestinationBusyError } from '../errors.ts';
import { backupDirectory } from '../job/backup.ts';
import { type Job, lockedPathsOf } from '../job/job.ts';
import type { LockedPath, Storage } from '../storage/storage.ts';
import { isWithin, parentOf } from '../storage/path.ts';

/** Of one job's paths, as far as they are recorded one by one: all jobs of a namespace share an item, which DynamoDB limits to 400 KB. */
const MOST_BYTES = 8192;

/** What a job's lock is on in AWS: its roots, or where they are many the one directory that holds them all. */
export async function recordedPathsOf(
  job: Job,
  destination: Storage,
  signal: AbortSignal,
): Promise<readonly LockedPath[]> {
  const paths = [...new Set(job.roots.map((root) => root.destination))];
  if (Buffer.byteLength(paths.join()) <= MOST_BYTES) return lockedPathsOf(job, destination, signal);
  let [above = '/'] = paths;
  for (const path of paths) while (!isWithin(path, above)) above = parentOf(above);
  const backups = backupDirectory(job);
  const locked = [above, ...(backups === undefined ? [] : [backups])];
  return (await Promise.all(locked.map((path) => destination.lockedPaths(path, signal)))).flat();
}

interface Holder {
  readonly job: string;
  readonly execution: string;
  readonly paths: readonly string[];
}

interface LockItem {
  readonly version: number;
  readonly holders: readonly Holder[];
}

/**
 * Keeps two jobs from writing into one destination. Each name of a namespace, an address or the block pool, has a record that lists
 * the paths in use, so that two aliases which share one exclude each other. No lease: Step Functions tells whether a holder still runs.
 */
export class DestinationLock {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #isGone: (holder: { readonly job: string; readonly execution: string }) => Promise<boolean>;

  /** @param isGone  whether a holder's execution has ended and its copiers have stopped or passed their deadline */
  constructor(client: DynamoDBDocumentClient, table: string, isGone: DestinationLock['isGone']) {
    this.#client = client;
    this.#table = table;
    this.#isGone = isGone;
  }

  get isGone() {
    return this.#isGone;
  }

  /** Locks paths for a job. Safe to run again by the same execution. @throws DestinationBusyError */
  async acquire(job: string, execution: string, locked: readonly LockedPath[]): Promise<void> {
    await this.#change(namespacesOf(locked), async (namespace, holders) => {
      const paths = locked.filter((one) => one.namespace === namespace).map(({ path }) => path);
      const kept: Holder[] = [];
      for (const holder of holders) {
        if (holder.job === job) {
          // Two that take up one job at the same moment both find it at rest.
          if (holder.execution !== execution && !(await this.#isGone(holder)))
            throw new DestinationBusyError(`job ${job} is still running`, 'wait for its end');
          continue;
        }
        const overlap = holder.paths.find((held) => paths.some((path) => isWithin(path, held) || isWithin(held, path)));
        if (overlap === undefined) kept.push(holder);
        else if (!(await this.#isGone(holder))) {
          throw new DestinationBusyError(
            `job ${holder.job} is writing to ${overlap}`,
            `wait for it, or stop it with hdfs-fanout stop ${holder.job}`,
          );
        }
      }
      return [...kept, { job, execution, paths }];
    });
  }

  /** Frees the paths of a job. Safe to run again. */
  async release(job: string, locked: readonly LockedPath[]): Promise<void> {
    await this.#change(namespacesOf(locked), (_namespace, holders) =>
      Promise.resolve(holders.filter((holder) => holder.job !== job)),
    );
  }

  /** Rewrites the records of all these namespaces in one transaction, if nobody else did since they were read. */
  async #change(
    namespaces: readonly string[],
    holdersOf: (namespace: string, holders: readonly Holder[]) => Promise<readonly Holder[]>,
  ): Promise<void> {
    for (;;) {
      const items = await this.#read(namespaces);
      const writes = [];
      for (const namespace of namespaces) {
        const item = items.get(namespace);
        const holders = await holdersOf(namespace, item?.holders ?? []);
        writes.push({
          Put: {
            TableName: this.#table,
            Item: { ...keyOf(namespace), version: (item?.version ?? 0) + 1, holders },
            ConditionExpression: item ? 'version = :version' : 'attribute_not_exists(pk)',
            ...(item ? { ExpressionAttributeValues: { ':version': item.version } } : {}),
          },
        });
      }
      try {
        await this.#client.send(new TransactWriteCommand({ TransactItems: writes }));
        return;
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error;
      }
    }
  }

  async #read(namespaces: readonly string[]): Promise<ReadonlyMap<string, LockItem>> {
    const { Responses } = await this.#client.send(
      new BatchGetCommand({
        RequestItems: { [this.#table]: { Keys: namespaces.map(keyOf), ConsistentRead: true } },
      }),
    );
    const items = Responses?.[this.#table] ?? [];
    return new Map(items.map((item) => [String(item['sk']), item as unknown as LockItem]));
  }
}

function namespacesOf(locked: readonly LockedPath[]): string[] {
  return [...new Set(locked.map(({ namespace }) => namespace))];
}

function keyOf(namespace: string): { pk: string; sk: string } {
  return { pk: 'LOCK', sk: namespace };
}
