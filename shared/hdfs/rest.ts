import { FanoutError, TransportError, UnavailableError, type Where } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Again, retry, type RetryPolicy } from '../retry.ts';
import { type Authentication, type Credentials, explained } from './auth.ts';
import type { Cluster } from './cluster.ts';
import {
  type Answer,
  codeOf,
  type Download,
  type Headers,
  type HttpTransport,
  speaksNoHttp,
  splitUrl,
} from './http.ts';
import { type Nameservice, nameserviceFor, nameservicesOf } from './nameservice.ts';
import { encodePath } from './path.ts';
import { hasCode, isFromProxy, RemoteError, remoteErrorOf } from './remote-exception.ts';

export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** For how long an address that has never answered is tried, ms: a wrong one should not cost the whole budget. */
const FIRST_CONTACT_MS = 15_000;
/** Tries after an answer that seldom changes: a plain IOException, an HTML page, a name that does not resolve. */
const DOUBTFUL_TRIES = 3;

/**
 * Requests to a cluster's namenodes: addressed by mount, authenticated, tried again and failed over.
 *
 * Two budgets (cluster configuration): `timeout` for one answer, `retry_timeout` for all tries of one request. When the
 * second is used up the cluster cannot serve, and neither can the job go on.
 */
export class NamenodeRest {
  readonly cluster: Cluster;
  readonly http: HttpTransport;
  readonly #nameservices: readonly Nameservice[];
  readonly #authentication: Authentication;
  readonly #policy: RetryPolicy;
  readonly #log: Log;

  constructor(cluster: Cluster, http: HttpTransport, authentication: Authentication, log: Log) {
    this.cluster = cluster;
    this.http = http;
    this.#nameservices = nameservicesOf(cluster);
    this.#authentication = authentication;
    this.#policy = { attempts: Infinity, totalMs: cluster.retry_timeout * 1000, baseMs: 200, capMs: 5000 };
    this.#log = log;
  }

  nameservice(path: string): Nameservice {
    return nameserviceFor(path, this.#nameservices, this.cluster.name);
  }

  /** Sends a request that may safely be sent twice. @returns an answer below 400 */
  call(method: string, operation: string, path: string, parameters: Parameters, signal: AbortSignal): Promise<Answer> {
    return this.#tried(path, signal, (nameservice) =>
      this.once(nameservice, method, operation, path, parameters, signal),
    );
  }

  /** As `call`. @returns what the answer says, which is not looked at */
  async json<T>(
    method: string,
    operation: string,
    path: string,
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<T> {
    const { text, status } = await this.call(method, operation, path, parameters, signal);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw remoteErrorOf(status, text, { operation, path, host: splitUrl(this.nameservice(path).url).host });
    }
  }

  /** As `call`, for data: a namenode redirects to it, HttpFS sends it at once. */
  open(operation: string, path: string, parameters: Parameters, signal: AbortSignal): Promise<Answer | Download> {
    return this.#tried(path, signal, (nameservice) =>
      this.#asked(nameservice, operation, path, parameters, (url, where, headers) =>
        this.http.open(url, where, signal, headers),
      ),
    );
  }

  /** One try, which turns to the next address when this one cannot serve. */
  once(
    nameservice: Nameservice,
    method: string,
    operation: string,
    path: string,
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<Answer> {
    return this.#asked(nameservice, operation, path, parameters, (url, where, headers) =>
      this.http.exchange(method, url, where, signal, headers),
    );
  }

  /**
   * The second step of an operation that the server redirected to itself: it wants the same credentials again. Tried once, since a
   * body cannot be sent twice; when other credentials may do, the error says that a try of the whole operation is worth it.
   */
  async followed<T>(nameservice: Nameservice, send: (headers: Headers) => Promise<T>): Promise<T> {
    const base = nameservice.url;
    const used = await this.#authentication.credentials(nameservice, base);
    try {
      return await send(used.headers);
    } catch (error) {
      if (error instanceof TransportError && error.where?.host === splitUrl(base).host) nameservice.failOver(base);
      const code = refusalOf(error);
      if (!(error instanceof RemoteError) || !code) throw error;
      if (!(await this.#authentication.refused({ nameservice, base, used, code })))
        throw explained(this.cluster, error);
      const where = error.where ?? { operation: 'request', path: '/' };
      throw new RemoteError(error.code, error.exception, '', where, { reason: error.reason, disposition: 'retry' });
    }
  }

  async close(): Promise<void> {
    await this.#authentication.close();
    await this.http.close();
  }

  async #tried<T>(path: string, signal: AbortSignal, attempt: (nameservice: Nameservice) => Promise<T>): Promise<T> {
    const nameservice = this.nameservice(path);
    const startedAtMs = performance.now();
    const failures = new Map<string, FanoutError>();
    let doubtful = 0;
    const again = (error: unknown): Again => {
      if (!(error instanceof TransportError || error instanceof RemoteError) || error.disposition !== 'retry')
        return 'no';
      failures.set(error.where?.host ?? '', error);
      if (isDoubtful(error) && ++doubtful >= DOUBTFUL_TRIES * nameservice.urls.length) return 'no';
      if (!nameservice.hasAnswered && performance.now() - startedAtMs > FIRST_CONTACT_MS) return 'no';
      this.#log.warn({ cluster: this.cluster.name, error: error.message }, 'trying again');
      return hasCode(error, 'safe-mode') ? 'late' : 'soon';
    };
    try {
      return await retry(this.#policy, signal, again, () => attempt(nameservice));
    } catch (error) {
      if (!(error instanceof TransportError || error instanceof RemoteError) || error.disposition !== 'retry')
        throw error;
      // A namenode that refuses in its own words serves: it is this path that it cannot serve.
      if (hasCode(error, 'io', 'other', 'out-of-range', 'no-block') && !isFromProxy(error)) throw error;
      throw this.#unavailable(error, failures, performance.now() - startedAtMs);
    }
  }

  async #asked<T extends Answer | Download>(
    nameservice: Nameservice,
    operation: string,
    path: string,
    parameters: Parameters,
    send: (url: string, where: Where, headers: Headers) => Promise<T>,
  ): Promise<T> {
    const base = nameservice.url;
    const where: Where = { operation, path, host: splitUrl(base).host };
    const ask = async (credentials: Credentials): Promise<T> => {
      const query = queryOf(operation, { ...parameters, ...credentials.parameters });
      const answer = await send(`${base}/webhdfs/v1${encodePath(path)}?${query}`, where, credentials.headers);
      nameservice.hasAnswered = true;
      if ('text' in answer && (answer.status >= 400 || /^\s*</.test(answer.text))) {
        throw remoteErrorOf(answer.status, answer.text, where);
      }
      return answer;
    };
    try {
      const used = await this.#authentication.credentials(nameservice, base);
      try {
        return await ask(used);
      } catch (error) {
        const code = refusalOf(error);
        if (!code) throw error;
        const others = await this.#authentication.refused({ nameservice, base, used, code });
        if (!others) throw error;
        return await ask(await this.#authentication.credentials(nameservice, base));
      }
    } catch (error) {
      if (error instanceof TransportError || hasCode(error, 'standby', 'busy', 'not-webhdfs'))
        nameservice.failOver(base);
      // What comes from elsewhere, as from the getting of a token, is explained there.
      throw error instanceof FanoutError && error.where === where ? explained(this.cluster, error) : error;
    }
  }

  #unavailable(last: FanoutError, failures: ReadonlyMap<string, FanoutError>, elapsedMs: number): UnavailableError {
    const where = last.where ?? { operation: 'request', path: '/' };
    const others = [...failures].filter(([host]) => host !== where.host);
    const rest = others.map(([host, error]) => `; ${host}: ${error.reason}`).join('');
    const reason = `cluster ${this.cluster.name} cannot serve, tried for ${Math.ceil(elapsedMs / 1000)} s: ${last.reason}${rest}`;
    return new UnavailableError(reason, where, last.remedy ?? 'check the cluster and its address, then resume', last);
  }
}

function queryOf(operation: string, parameters: Parameters): string {
  const query = new URLSearchParams({ op: operation });
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  // Servers decode `+` in a query as a space or as itself; %20 means a space to all of them.
  return query.toString().replaceAll('+', '%20');
}

function refusalOf(error: unknown): 'token' | 'unauthenticated' | undefined {
  if (!(error instanceof RemoteError)) return undefined;
  return error.code === 'token' || error.code === 'unauthenticated' ? error.code : undefined;
}

function isDoubtful(error: FanoutError): boolean {
  return (
    hasCode(error, 'io', 'other', 'not-webhdfs', 'out-of-range', 'no-block') ||
    codeOf(error.cause) === 'ENOTFOUND' ||
    speaksNoHttp(error.cause)
  );
}
