import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { FanoutError, messageOf } from '../errors.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import type { FileStatus } from '../storage/storage.ts';
import { routeOf } from '../hdfs/connect.ts';
import { Connector } from '../hdfs/connector.ts';
import type { TlsOptions } from '../hdfs/tls.ts';
import { WebHdfs } from '../hdfs/webhdfs.ts';
import { silentLog } from '../log.ts';
import { Endpoint, REQUEST_S } from './endpoint.ts';
import { type CheckName, failed, type Finding, type Row, skipped } from './row.ts';

/** Time for one check of one target. */
const CHECK_MS = 10_000;
/** Time for making one connection. */
const CONNECT_MS = 4000;
/** Time for cancelling tokens. */
const CLOSING_MS = 2000;

/** What the user wants to know. */
export interface Examination {
  readonly cluster: Cluster;
  /** Absolute; the user's home directory when left out. */
  readonly path: string | undefined;
  /** Nothing is written, not even for a moment. */
  readonly readOnly: boolean;
}

/** Where the checks of PATH are made: the address that serves it, and the client that copies use. */
export interface Serving {
  readonly endpoint: Endpoint;
  readonly fs: WebHdfs;
  readonly path: string;
  /** Undefined when PATH is no directory that we may see. */
  readonly directory: FileStatus | undefined;
}

/** What the checks share: the question, what earlier ones have learnt, and where rows go. */
export class Context {
  readonly examination: Examination;
  readonly endpoints: readonly Endpoint[];
  readonly tls: TlsOptions;
  /** Takes any certificate: the checks say what is wrong with it. */
  readonly connector: Connector;
  /** Aborts when the time for all checks is over, or the user has enough. */
  readonly signal: AbortSignal;
  /** Set by the check of PATH; or else why there is none. */
  serving: Serving | string = 'no namenode serves PATH';
  /** Datanodes that a namenode has redirected to so far. */
  readonly datanodeUrls = new Set<string>();
  readonly #emit: (row: Row) => void;
  readonly #clients: WebHdfs[] = [];

  /** @throws SpecError */
  constructor(examination: Examination, signal: AbortSignal, emit: (row: Row) => void) {
    const { cluster } = examination;
    this.examination = examination;
    this.signal = signal;
    this.#emit = emit;
    const route = routeOf(cluster);
    this.tls = route.tls;
    this.connector = new Connector({
      ...route,
      tls: { ...route.tls, rejectUnauthorized: false },
      connectMs: CONNECT_MS,
    });
    this.endpoints = cluster.nameservices.flatMap(({ urls }, nameservice) =>
      urls.map((url) => new Endpoint(cluster, url, nameservice, silentLog)),
    );
  }

  report(name: CheckName, target: string, finding: Finding): void {
    this.#emit({ name, target, ...finding });
  }

  /** Looks at all addresses at once and reports them in the order of the definition. */
  async eachEndpoint(
    name: CheckName,
    needs: readonly CheckName[],
    find: (endpoint: Endpoint) => Promise<Finding>,
  ): Promise<void> {
    const findings = this.endpoints.map(async (endpoint) => {
      const missing = needs.find((need) => endpoint.missing.has(need));
      const finding = missing === undefined ? await this.#safely(() => find(endpoint)) : needed(missing);
      if (missing !== undefined || finding.state === 'failed') endpoint.missing.add(name);
      return finding;
    });
    for (const [i, endpoint] of this.endpoints.entries()) {
      const finding = await findings[i];
      if (finding) this.report(name, endpoint.host, finding);
    }
  }

  /** Reports a check of PATH, skipped where no address serves it. @returns whether checks that need it can be made */
  async atPath(name: CheckName, find: (serving: Serving) => Promise<Finding>): Promise<boolean> {
    const { serving } = this;
    if (typeof serving === 'string') {
      this.report(name, this.examination.cluster.name, skipped(serving));
      return false;
    }
    const finding = await this.#safely(() => find(serving));
    this.report(name, serving.endpoint.host, finding);
    return finding.state === 'ok' || finding.state === 'warning';
  }

  /** The client that copies use, for one address, with short time-outs. */
  open(endpoint: Endpoint): WebHdfs {
    const nameservices = [{ urls: [endpoint.url], mounts: ['/'] }];
    const { cluster } = this.examination;
    const fs = new WebHdfs({ ...cluster, timeout: REQUEST_S, retry_timeout: 1, nameservices }, silentLog);
    this.#clients.push(fs);
    return fs;
  }

  async close(): Promise<void> {
    const closed = [...this.endpoints.map(({ rest }) => rest.close()), ...this.#clients.map((fs) => fs.close())];
    await Promise.race([Promise.all(closed), sleep(CLOSING_MS)]);
  }

  async #safely(find: () => Promise<Finding>): Promise<Finding> {
    const late = new AbortController();
    try {
      this.signal.throwIfAborted();
      const limit = AbortSignal.any([this.signal, AbortSignal.timeout(CHECK_MS)]);
      // Not everything stops by itself: what looks for a host's address, or for a ticket, cannot be stopped.
      const stopped = once(limit, 'abort', { signal: late.signal }).then(() => Promise.reject(limit.reason as Error));
      stopped.catch(() => undefined);
      return await Promise.race([find(), stopped]);
    } catch (error) {
      return this.signal.aborted ? skipped('there was no time left for it') : findingOf(error);
    } finally {
      late.abort();
    }
  }
}

/** What a check that threw has found. */
export function findingOf(error: unknown): Finding {
  if (error instanceof FanoutError) return failed(error.reason, error.remedy);
  if (error instanceof DOMException && error.name === 'TimeoutError') return failed('it took too long');
  return failed(messageOf(error));
}

/** What a check says that needs another one, which failed or was skipped. */
export function needed(missing: CheckName): Finding {
  return skipped(`needs "${missing}", which did not succeed`);
}
