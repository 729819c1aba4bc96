import type { LostConnections } from '../../storage/capabilities.ts';
import { lostConnectionsTo } from '../../storage/lost-connections.ts';
import type { Log } from '../../log.ts';

/** For how long a datanode is avoided, ms: twice as long each time that it fails again soon after it came back. */
const AVOIDED_MS = { first: 60_000, longest: 600_000 };
/** Datanodes that are avoided at once, those that failed last: their addresses become a part of a URL. */
const AT_ONCE = 20;
/** Datanodes that are told of one by one. */
const TOLD = 50;

interface Failing {
  readonly lastsMs: number;
  readonly untilMs: number;
}

/**
 * Datanodes whose connections died or stalled, for all transfers of a process. Each comes back by itself: nobody asks it whether it is well.
 * @see Hadoop DataStreamer, which excludes a datanode of a failed write for ten minutes
 */
export class AvoidedDatanodes implements LostConnections {
  readonly #cluster: string;
  readonly #log: Log;
  readonly #now: () => number;
  /** By `host:port`, the one that failed last at the end. */
  readonly #failing = new Map<string, Failing>();
  readonly #told = new Set<string>();
  #lost: Record<string, number> = {};

  /** @param now  ms */
  constructor(cluster: string, log: Log, now = () => performance.now()) {
    this.#cluster = cluster;
    this.#log = log;
    this.#now = now;
  }

  /** A connection to a datanode died or stalled. @param host  as a redirect names it, `host:port` */
  note(host: string, reason: string): void {
    const nowMs = this.#now();
    const before = this.#failing.get(host);
    // What fails while it is avoided was begun before.
    const hasComeBack = before !== undefined && nowMs >= before.untilMs;
    const isSoon = hasComeBack && nowMs < before.untilMs + AVOIDED_MS.longest;
    const again = isSoon ? Math.min(2 * before.lastsMs, AVOIDED_MS.longest) : AVOIDED_MS.first;
    const lastsMs = before && !hasComeBack ? before.lastsMs : again;
    this.#failing.delete(host);
    this.#failing.set(host, { lastsMs, untilMs: nowMs + lastsMs });
    if (!before || hasComeBack) {
      const told = { cluster: this.#cluster, datanode: host, reason };
      this.#log.warn(told, `the datanode is avoided for ${lastsMs / 1000} s`);
    }
    const isTold = this.#told.has(host) || this.#told.size < TOLD;
    if (isTold) this.#told.add(host);
    const text = isTold ? this.#warning(`the datanode ${host}`) : this.#warning('other datanodes');
    this.#lost[text] = (this.#lost[text] ?? 0) + 1;
  }

  /** Those that are avoided now. */
  get hosts(): readonly string[] {
    const nowMs = this.#now();
    return [...this.#failing]
      .filter(([, { untilMs }]) => nowMs < untilMs)
      .map(([host]) => host)
      .slice(-AT_ONCE);
  }

  take(): Readonly<Record<string, number>> {
    const lost = this.#lost;
    this.#lost = {};
    return lost;
  }

  putBack(lost: Readonly<Record<string, number>>): void {
    for (const [text, count] of Object.entries(lost)) this.#lost[text] = (this.#lost[text] ?? 0) + count;
  }

  #warning(who: string): string {
    return lostConnectionsTo(who, this.#cluster);
  }
}
