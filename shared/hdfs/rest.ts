import { FanoutError, TransportError, UnavailableError, type Where } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Again, retry, type RetryPolicy } from '../retry.ts';
import { type Authentication, type Credentials, explained } from './auth.ts';
import type { Cluster } from './cluster.ts';
import type { Turn } from '../limits/limits.ts';
import type { Answer, Download, Headers, HttpTransport } from './http.ts';
import { splitUrl } from './urls.ts';
import { codeOf, isUnreached, speaksNoHttp } from './transport-error.ts';
import { type Contact, type Nameservice, nameserviceFor, nameservicesOf } from './nameservice.ts';
import { Load } from '../storage/load.ts';
import { encodePath } from '../storage/path.ts';
import { misdirected, unaddressable } from './misdirected.ts';
import { GATEWAY_REMEDY, isFromGateway, remoteErrorOf } from './remote-exception.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { retryAfterMs } from './retry-after.ts';

export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** For how long an address that has never answered is tried, ms: a wrong one should not cost the whole budget. */
const FIRST_CONTACT_MS = 15_000;
/** Tries of a request that a namenode refuses with what seldom changes, such as a plain IOException. */
const REFUSALS = 3;
/** Tries of an address that has never answered as Hadoop does, and now sends HTML or does not resolve: most likely it is wrong. */
const DOUBTFUL_TRIES = 3;
/** Between these tries, where a balancer says that it is only for a moment, ms. */
const DOUBTFUL_WAIT_MS = 1000;

/**
 * Requests to a cluster's namenodes: addressed by mount, authenticated, tried again and failed over.
 *
 * Two budgets (cluster configuration): `timeout` for one answer, `retry_timeout` for all tries of one request. When the
 * second is used up the cluster cannot serve, and neither can the job go on.
 */
export class NamenodeRest {
  readonly cluster: Cluster;
  readonly http: HttpTransport;
  readonly load: Load;
  readonly #nameservices: readonly Nameservice[];
  readonly #authentication: Authentication;
  readonly #policy: RetryPolicy;
  readonly #log: Log;
  readonly #turn: Turn | undefined;

  /** @param turn  what each request waits for, if anything. The second step of an operation, at a datanode or at HttpFS, is none */
  constructor(
    cluster: Cluster,
    http: HttpTransport,
    authentication: Authentication,
    log: Log,
    contact: Contact = 'first',
    turn?: Turn,
  ) {
    this.cluster = cluster;
    this.http = http;
    this.load = new Load(cluster.name);
    this.#nameservices = nameservicesOf(cluster, contact);
    this.#authentication = authentication;
    this.#policy = { attempts: Infinity, totalMs: cluster.retry_timeout * 1000, baseMs: 200, capMs: 5000 };
    this.#log = log;
    this.#turn = turn;
  }

  nameservice(path: string): Nameservice {
    return nameserviceFor(path, this.#nameservices, this.cluster.name);
  }

  /** What tells the nameservice of a path from the cluster's others. */
  keyOf(path: string): string {
    return this.nameservice(path).urls.join();
  }

  /**
   * Sends a request that may safely be sent twice.
   * @param answerMs  for how long an answer may take
   * @returns an answer below 400
   */
  call(
    method: string,
    operation: string,
    path: string,
    parameters: Parameters,
    signal: AbortSignal,
    answerMs?: number,
  ): Promise<Answer> {
    const attempt = (nameservice: Nameservice) =>
      this.#once(nameservice, method, operation, path, parameters, signal, answerMs);
    return this.#tried(path, signal, attempt, mayDoWithout(parameters));
  }

  /**
   * As `call`.
   * @param mostBytes  that an answer may have
   * @returns the answer's JSON as it came: whoever asked looks whether it is what they expect
   * @throws StorageError limit where the answer is longer
   */
  async json<T>(
    method: string,
    operation: string,
    path: string,
    parameters: Parameters,
    signal: AbortSignal,
    mostBytes?: number,
  ): Promise<T> {
    // An answer that is cut short is one try, like one that does not come.
    return this.#tried(path, signal, async (nameservice) => {
      const { host } = splitUrl(nameservice.url);
      const { text, status } = await this.#once(
        nameservice,
        method,
        operation,
        path,
        parameters,
        signal,
        undefined,
        mostBytes,
      );
      try {
        return JSON.parse(text) as T;
      } catch {
        throw remoteErrorOf(status, text, { operation, path, host });
      }
    });
  }

  /** As `call`, for data: a namenode redirects to it, HttpFS sends it at once. */
  open(operation: string, path: string, parameters: Parameters, signal: AbortSignal): Promise<Answer | Download> {
    const attempt = (nameservice: Nameservice) => {
      const { answerMs, dataMs } = this.http.patience;
      const limitMs = nameservice.hasDatanodes ? answerMs : dataMs;
      return this.#asked(nameservice, operation, path, parameters, (url, where, headers) =>
        this.http.open(url, where, signal, headers, limitMs),
      );
    };
    return this.#tried(path, signal, attempt, mayDoWithout(parameters));
  }

  /** One try, which turns to the next address when this one cannot serve. */
  async once(
    nameservice: Nameservice,
    method: string,
    operation: string,
    path: string,
    parameters: Parameters,
    signal: AbortSignal,
    answerMs?: number,
  ): Promise<Answer> {
    await this.#turn?.(signal);
    return this.#once(nameservice, method, operation, path, parameters, signal, answerMs);
  }

  #once(
    nameservice: Nameservice,
    method: string,
    operation: string,
    path: string,
    parameters: Parameters,
    signal: AbortSignal,
    answerMs?: number,
    mostBytes?: number,
  ): Promise<Answer> {
    return this.#asked(nameservice, operation, path, parameters, (url, where, headers) =>
      this.http.exchange(method, url, where, signal, headers, answerMs, mostBytes),
    );
  }

  /**
   * The second step of an operation that the server redirected to itself: it wants the same credentials again. Tried once, since a
   * body cannot be sent twice; when other credentials may do, the error says that a try of the whole operation is worth it.
   * @param base  the address that is asked
   * @param where  by which failures of that step are told from those of whoever gives or takes its bytes
   */
  async followed<T>(
    nameservice: Nameservice,
    base: string,
    where: Where,
    send: (headers: Headers) => Promise<T>,
  ): Promise<T> {
    const used = await this.#authentication.credentials(nameservice, base);
    try {
      return await send(this.http.cookies.addTo(base, used.headers));
    } catch (error) {
      if (!isOf(where, error)) throw error;
      if (isAskedTooMuch(error)) this.load.noteBusy();
      if (error instanceof TransportError) nameservice.failOver(base);
      const code = refusalOf(error);
      if (!(error instanceof StorageError) || !code) throw error;
      if (!(await this.#authentication.refused({ nameservice, base, used, code })))
        throw explained(this.cluster, error);
      throw new StorageError(error.code, error.exception, '', where, { reason: error.reason, disposition: 'retry' });
    }
  }

  async close(): Promise<void> {
    await this.#authentication.close();
    await this.http.close();
  }

  /** @param isOnly  whether one try is all */
  async #tried<T>(
    path: string,
    signal: AbortSignal,
    attempt: (nameservice: Nameservice) => Promise<T>,
    isOnly = false,
  ): Promise<T> {
    const nameservice = this.nameservice(path);
    const startedAtMs = performance.now();
    // What is waited for a turn is no time in which a cluster could not serve.
    let waitedMs = 0;
    const inTurn = async (): Promise<T> => {
      const turn = this.#turn?.(signal);
      if (turn) {
        const fromMs = performance.now();
        await turn;
        waitedMs += performance.now() - fromMs;
      }
      return attempt(nameservice);
    };
    const failures = new Map<string, FanoutError>();
    const counted = { tries: 0, refusals: 0, doubtful: 0 };
    const again = (error: unknown): Again => {
      if (isOnly) return 'no';
      // A standby namenode may not have heard of a new token yet.
      if (hasCode(error, 'token') && ++counted.tries < nameservice.urls.length) {
        nameservice.failOver(nameservice.url);
        return 'now';
      }
      if (!(error instanceof TransportError || error instanceof StorageError) || error.disposition !== 'retry')
        return 'no';
      failures.set(error.where?.host ?? '', error);
      // A namenode that refuses in its own words serves: it is this path that it cannot serve.
      if (isRefusal(error)) return ++counted.refusals >= REFUSALS ? 'no' : 'soon';
      this.#log.warn({ cluster: this.cluster.name, error: error.message }, 'trying again');
      if (isDoubtful(error)) counted.doubtful += 1;
      // No budget is used up before each address was asked.
      if (turnsAway(error) && ++counted.tries < nameservice.urls.length) return 'now';
      const retryAfterMs = error instanceof StorageError ? error.retryAfterMs : undefined;
      if (!nameservice.isKnown) {
        if (counted.doubtful >= DOUBTFUL_TRIES * nameservice.urls.length) return 'no';
        if (performance.now() - startedAtMs - waitedMs > FIRST_CONTACT_MS) return 'no';
        if (isFromGateway(error) && hasCode(error, 'io'))
          return { afterMs: Math.min(retryAfterMs ?? DOUBTFUL_WAIT_MS, FIRST_CONTACT_MS) };
      }
      if (retryAfterMs !== undefined) return { afterMs: retryAfterMs };
      return hasCode(error, 'safe-mode') ? 'late' : 'soon';
    };
    try {
      return await retry(this.#policy, signal, again, inTurn, () => startedAtMs + waitedMs);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransportError || error instanceof StorageError) || error.disposition !== 'retry')
        throw error;
      if (isRefusal(error)) throw error;
      throw this.#unavailable(nameservice, error, failures, performance.now() - startedAtMs - waitedMs);
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
      const { cookies } = this.http;
      const url = `${base}/webhdfs/v1${encodePath(path)}?${query}`;
      const sentAtMs = performance.now();
      const answer = await send(url, where, cookies.addTo(base, credentials.headers));
      const tookMs = performance.now() - sentAtMs;
      this.load.onAnswer?.(operation, tookMs);
      // HttpFS moves bytes before it answers some requests: how long that takes says nothing.
      if (nameservice.hasDatanodes) this.load.noteAnswer(tookMs);
      cookies.keep(base, answer.cookies);
      const failure = 'text' in answer ? failureOf(answer, base, where) : undefined;
      if (!isFromGateway(failure)) nameservice.isKnown = true;
      if (failure) throw (nameservice.isKnown ? unaddressable(failure) : undefined) ?? failure;
      return answer;
    };
    try {
      const used = await this.#authentication.credentials(nameservice, base);
      try {
        return await ask(used);
      } catch (error) {
        const code = refusalOf(error);
        if (!code || !isOf(where, error)) throw error;
        const others = await this.#authentication.refused({ nameservice, base, used, code });
        if (!others) throw error;
        return await ask(await this.#authentication.credentials(nameservice, base));
      }
    } catch (error) {
      // A request that is stopped may throw what went wrong elsewhere, even at another cluster.
      if (!isOf(where, error)) throw error;
      if (isAskedTooMuch(error)) this.load.noteBusy();
      if (turnsAway(error)) nameservice.failOver(base);
      // What comes from elsewhere, as from the getting of a token, is explained there.
      throw error.where === where ? explained(this.cluster, error) : error;
    }
  }

  #unavailable(
    nameservice: Nameservice,
    last: FanoutError,
    failures: ReadonlyMap<string, FanoutError>,
    elapsedMs: number,
  ): UnavailableError {
    const where = last.where ?? { operation: 'request', path: '/' };
    const others = [...failures].filter(([host]) => host !== where.host);
    const rest = others.map(([host, error]) => `; ${host}: ${error.reason}`).join('');
    const reason = `cluster ${this.cluster.name} cannot serve, tried for ${Math.ceil(elapsedMs / 1000)} s: ${last.reason}${rest}`;
    return new UnavailableError(reason, where, this.#remedyOf(nameservice, last), last);
  }

  #remedyOf({ isKnown }: Nameservice, last: FanoutError): string {
    // Its address was right a moment ago.
    if (isKnown && hasCode(last, 'not-webhdfs')) return GATEWAY_REMEDY;
    const remedy = last.remedy ?? 'check the cluster and its address, then resume';
    const unused = isUnreached(last.cause) && this.cluster.proxy === undefined ? proxyVariable() : undefined;
    return unused === undefined
      ? remedy
      : `${remedy}; $${unused} is set here and not used: if a proxy is the only way out, name it as proxy in the cluster's definition`;
  }
}

/** Whether a request that leaves datanodes out is asked again without that (`TwoStep.begin`) when its first try fails. */
function mayDoWithout(parameters: Parameters): boolean {
  return 'excludedatanodes' in parameters;
}

/** An environment variable by which other programs find a proxy. */
function proxyVariable(): string | undefined {
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'].find(
    (name) => process.env[name],
  );
}

/** What an answer says went wrong: it is an error, a page for people, or leads away from the server. */
function failureOf(answer: Answer, base: string, where: Where): StorageError | undefined {
  const { status, text, location } = answer;
  if (status >= 400 || /^\s*</.test(text))
    return remoteErrorOf(status, text, where, retryAfterMs(answer.retryAfter, answer.date));
  return status >= 300 && location !== undefined ? misdirected(location, base, where, status) : undefined;
}

function queryOf(operation: string, parameters: Parameters): string {
  const query = new URLSearchParams({ op: operation });
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  // Servers decode `+` in a query as a space or as itself; %20 means a space to all of them.
  return query.toString().replaceAll('+', '%20');
}

/** Whether an error tells of the host that was asked. */
function isOf({ host }: Where, error: unknown): error is FanoutError {
  return error instanceof FanoutError && error.where?.host === host;
}

function refusalOf(error: unknown): 'token' | 'unauthenticated' | undefined {
  if (!(error instanceof StorageError)) return undefined;
  return error.code === 'token' || error.code === 'unauthenticated' ? error.code : undefined;
}

/** Whether fewer requests at once would do better. A gateway that wants to be left alone says for how long. */
function isAskedTooMuch(error: unknown): boolean {
  if (!(error instanceof StorageError)) return false;
  return error.code === 'busy' || error.exception === 'HTTP 429' || error.retryAfterMs !== undefined;
}

/** Whether another address of the nameservice may do better. */
function turnsAway(error: unknown): boolean {
  return (
    error instanceof TransportError ||
    hasCode(error, 'standby', 'busy', 'not-webhdfs') ||
    (hasCode(error, 'io') && isFromGateway(error))
  );
}

/** Whether Hadoop refused this request in a way that seldom changes. */
function isRefusal(error: FanoutError): boolean {
  return hasCode(error, 'io', 'other', 'out-of-range', 'no-block') && !isFromGateway(error);
}

/** Whether it looks as if nobody there spoke for a cluster. */
function isDoubtful(error: FanoutError): boolean {
  return isFromGateway(error) || codeOf(error.cause) === 'ENOTFOUND' || speaksNoHttp(error.cause);
}
