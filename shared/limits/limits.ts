import { bytesText } from '../bytes.ts';
import { SpecError } from '../errors.ts';
import { decorated } from '../storage/decorated.ts';
import { isUrgent } from '../storage/urgent.ts';
import type { Storage } from '../storage/storage.ts';
import { Budget } from './budget.ts';
import { type Leases, OwnLeases } from './leases.ts';
import { Timetable } from './timetable.ts';

/** What a job may use of the clusters and of the link between them. */
export interface LimitOptions {
  /** A rate in bytes a second, or a timetable of rates. */
  readonly bandwidth?: string | undefined;
  /** Requests a second to the namenodes of each cluster. */
  readonly namenodeOps?: number | 'off' | undefined;
}

/** What all jobs together may use of a cluster, as its definition says. */
export interface ClusterLimits {
  readonly name: string;
  readonly max_bandwidth?: string | undefined;
  readonly max_namenode_ops?: number | undefined;
}

/** Where the limits of a job are shared, and where they may change while it runs. */
export interface LimitStore extends Leases {
  get(id: string): Promise<{ readonly spec: { readonly options: LimitOptions } } | undefined>;
}

/** Which limits held somebody up. */
export interface HeldUp {
  /** For a person: `200 namenode requests/s, 50.0 MiB/s`. */
  readonly by: string;
  /** The lowest bandwidth among them; Infinity where none is. */
  readonly bytesPerSecond: number;
  /** The lowest rate of requests to namenodes among them; Infinity where none is. */
  readonly requestsPerSecond: number;
  /** For how long this process has waited for its turns in all, ms; twice where it waited for two at once. */
  readonly waitedMs: number;
}

/** Waits for the turn of one request; undefined where nobody has to wait, as for an urgent one. */
export type Turn = (signal: AbortSignal) => Promise<unknown> | undefined;

/** For how long a limit that somebody had to wait for is shown, ms. */
const SHOWN_MS = 2000;

/**
 * Keeps a job within its own limits and those of its clusters. Bytes are counted where a file is read: once for each that is copied, and
 * once more for each that is read to compare or to verify; a cluster's own limit counts what is written to it as well.
 *
 * Limits are this process's alone until `follow` shares them.
 */
export class Limits {
  readonly #needsZone: boolean;
  readonly #budgets = new Map<string, Budget>();
  #options: LimitOptions = {};
  #bandwidth: Timetable | undefined;
  #leases: Leases = new OwnLeases();
  #followed: { readonly job: string; readonly store: LimitStore; readonly everyMs: number } | undefined;
  #lookedAtMs = -Infinity;
  /** Of the clusters, that of all jobs together. */
  readonly #bandwidthsOfClusters: Timetable[] = [];
  readonly #opsOfClusters: number[] = [];

  /** @param needsZone  whether the machine's own time means nothing to whoever wrote a timetable. @throws SpecError */
  constructor(options: LimitOptions, needsZone = false) {
    this.#needsZone = needsZone;
    this.change(options);
  }

  /** From now on the store shares the limits with all others who work on the job, and is where changes of them are looked for. */
  follow(job: string, store: LimitStore, everyMs: number): void {
    this.#followed = { job, store, everyMs };
    this.#leases = store;
  }

  /** @throws SpecError */
  change(options: LimitOptions): void {
    if (options.bandwidth !== this.#options.bandwidth) this.#bandwidth = this.#timetable(options.bandwidth);
    this.#options = options;
    for (const budget of this.#budgets.values()) budget.look();
  }

  /** Which limit somebody had to wait for a moment ago, for a person: `limited to 50.0 MiB/s`. */
  get binding(): string | undefined {
    for (const [name, budget] of this.#budgets) {
      const limit = budget.boundWithin(SHOWN_MS);
      if (limit !== undefined) return `limited to ${limitText(name, limit)}`;
    }
    return undefined;
  }

  /**
   * What held somebody up within the last `withinMs`: in words, the lowest of those limits of each kind, and for how long. Undefined where
   * nobody had to wait.
   */
  heldUp(withinMs: number): HeldUp | undefined {
    const bound = [...this.#budgets].flatMap(([name, budget]) => {
      const limit = budget.boundWithin(withinMs);
      return limit === undefined ? [] : [{ limit, isBytes: isOfBytes(name), text: limitText(name, limit) }];
    });
    if (bound.length === 0) return undefined;
    const lowest = (ofBytes: boolean) =>
      Math.min(Infinity, ...bound.filter(({ isBytes }) => isBytes === ofBytes).map(({ limit }) => limit));
    const by = bound.map(({ text }) => text).join(', ');
    const waitedMs = [...this.#budgets.values()].reduce((sum, budget) => sum + budget.waitedMs, 0);
    return { by, bytesPerSecond: lowest(true), requestsPerSecond: lowest(false), waitedMs };
  }

  /** The most that the clusters which were opened ever allow, bytes a second. */
  get mostOfClusters(): number | undefined {
    const rates = this.#bandwidthsOfClusters.map(({ most }) => most).filter((most) => most !== 'off');
    return rates.length > 0 ? Math.min(...rates) : undefined;
  }

  /** The most requests a second that the clusters which were opened allow to their namenodes. */
  get mostOpsOfClusters(): number | undefined {
    const rates = this.#opsOfClusters;
    return rates.length > 0 ? Math.min(...rates) : undefined;
  }

  /** A storage whose bytes are counted. @param cluster  where it is one */
  paced(storage: Storage, cluster?: ClusterLimits): Storage {
    const own = this.#budget('bytes', () => this.#bytesAt(this.#bandwidth));
    const most = this.#timetable(cluster?.max_bandwidth, cluster?.name);
    if (most) this.#bandwidthsOfClusters.push(most);
    const shared = most && [this.#budget(`cluster/${storage.name}/bytes`, () => this.#bytesAt(most))];
    const ofReading = [own, ...(shared ?? [])];
    const { appending } = storage;
    return decorated(storage, {
      async read(path, range, signal) {
        const reading = await storage.read(path, range, signal);
        return { ...reading, body: paced(reading.body, ofReading, signal) };
      },
      ...(shared && {
        write: (path, body, options, signal) => storage.write(path, paced(body, shared, signal), options, signal),
        ...(appending && {
          appending: {
            refusal: (path) => appending.refusal(path),
            append: (path, body, bytes, signal) => appending.append(path, paced(body, shared, signal), bytes, signal),
            truncate: (...asked) => appending.truncate(...asked),
          },
        }),
      }),
    });
  }

  /** The turns of requests to a cluster's namenodes. */
  turnsAt({ name, max_namenode_ops: most }: ClusterLimits): Turn {
    const own = this.#budget(`ops/${name}`, () => {
      this.#lookForChanges();
      const { namenodeOps } = this.#options;
      return namenodeOps === 'off' ? undefined : namenodeOps;
    });
    if (most !== undefined) this.#opsOfClusters.push(most);
    const shared = most === undefined ? undefined : this.#budget(`cluster/${name}/ops`, () => most);
    return (signal) => {
      if (isUrgent(signal)) {
        own.spendAtOnce(1);
        shared?.spendAtOnce(1);
        return undefined;
      }
      const turns = [own.take(1, signal), shared?.take(1, signal)].filter((turn) => turn !== undefined);
      return turns.length > 0 ? Promise.all(turns) : undefined;
    };
  }

  #timetable(text: string | undefined, whose?: string): Timetable | undefined {
    if (this.#needsZone) requireZone(text, whose);
    return text === undefined ? undefined : new Timetable(text);
  }

  #bytesAt(timetable: Timetable | undefined): number | undefined {
    this.#lookForChanges();
    const rate = timetable?.rateAt(Date.now());
    return rate === 'off' ? undefined : rate;
  }

  #budget(name: string, perSecond: () => number | undefined): Budget {
    const known = this.#budgets.get(name);
    if (known) return known;
    const lease = (lastsMs: number, nowMs: number) => this.#leases.lease(this.#sharedName(name), lastsMs, nowMs);
    const budget = new Budget({ perSecond, lease });
    this.#budgets.set(name, budget);
    return budget;
  }

  /** A cluster's budgets are those of all jobs. */
  #sharedName(name: string): string {
    return name.startsWith('cluster/') ? name : `job/${this.#followed?.job ?? ''}/${name}`;
  }

  /** Costs a request now and then while something moves, and nothing while nothing does. */
  #lookForChanges(): void {
    const nowMs = performance.now();
    if (!this.#followed || nowMs - this.#lookedAtMs < this.#followed.everyMs) return;
    this.#lookedAtMs = nowMs;
    const { store, job } = this.#followed;
    // What cannot be read now is looked for again; whoever must write to the store finds out what is wrong with it.
    const look = async () => {
      const found = await store.get(job);
      if (found) this.change(found.spec.options);
    };
    look().catch(() => undefined);
  }
}

/**
 * @param whose  of a cluster whose definition has the timetable
 * @throws SpecError for a timetable by the clock of no zone, which means nothing in AWS
 */
export function requireZone(bandwidth: string | undefined, whose?: string): void {
  if (bandwidth === undefined || new Timetable(bandwidth).isZoned) return;
  throw new SpecError(
    `the timetable "${bandwidth}"${whose === undefined ? '' : `, max_bandwidth of the cluster ${whose},`} names no time zone, and AWS has no local time`,
    `name one, as in "${bandwidth} Europe/Berlin"`,
  );
}

function isOfBytes(budget: string): boolean {
  return budget.endsWith('bytes');
}

function limitText(budget: string, limit: number): string {
  const whose = /^cluster\/(.*)\//.exec(budget)?.[1];
  const what = isOfBytes(budget) ? `${bytesText(limit)}/s` : `${limit} namenode requests/s`;
  return whose === undefined ? what : `${what} by ${whose}`;
}

/** Passes a body on as fast as all budgets allow, in small pieces where that is slow. */
async function* paced(
  body: AsyncIterable<Uint8Array>,
  budgets: readonly Budget[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    for (let at = 0; at < piece.length;) {
      const bytes = Math.min(piece.length - at, ...budgets.map(({ atOnce }) => atOnce));
      const turns = budgets.map((budget) => budget.take(bytes, signal)).filter((turn) => turn !== undefined);
      if (turns.length > 0) await Promise.all(turns);
      yield bytes === piece.length ? piece : piece.subarray(at, at + bytes);
      at += bytes;
    }
  }
}
