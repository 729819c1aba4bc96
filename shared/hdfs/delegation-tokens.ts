import { FanoutError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Once } from '../once.ts';
import type { Authentication, Credentials, Refusal } from './auth.ts';
import type { Nameservice } from './nameservice.ts';
import type { NamenodeRest } from './rest.ts';
import { hasCode } from '../storage/errors.ts';

/** A delegation token that we got and therefore renew, replace and cancel. */
export interface HeldToken {
  /** The nameservice's id, whose tokens no other accepts. */
  readonly nameservice: string;
  /** URL-safe string. */
  readonly token: string;
  readonly renewedUntilMs: number;
}

/** Operations on tokens, with the ticket that they need. @see Hadoop AbstractDelegationTokenSecretManager */
export class TokenClient {
  readonly #kerberos: NamenodeRest;

  /** @param kerberos  authenticated with a ticket: a token cannot get, renew or cancel tokens */
  constructor(kerberos: NamenodeRest) {
    this.#kerberos = kerberos;
  }

  get cluster(): string {
    return this.#kerberos.cluster.name;
  }

  /** Gets a token whose renewer is its owner, and renews it at once: only that tells how long it lives. */
  async get(nameservice: string, signal: AbortSignal): Promise<HeldToken> {
    interface Got {
      Token: { urlString: string } | null;
    }
    const { Token: json } = await this.#kerberos.json<Got>('GET', 'GETDELEGATIONTOKEN', nameservice, {}, signal);
    if (json === null) throw new NoTokenError(this.cluster, nameservice);
    const token = json.urlString;
    return { nameservice, token, renewedUntilMs: await this.renew({ nameservice, token }, signal) };
  }

  /** Renews a token. @returns until when it lives now, ms since 1970. @throws StorageError token when its life is over */
  async renew({ nameservice, token }: Pick<HeldToken, 'nameservice' | 'token'>, signal: AbortSignal): Promise<number> {
    interface Renewed {
      long: number;
    }
    const parameters = { token };
    const { long } = await this.#kerberos.json<Renewed>('PUT', 'RENEWDELEGATIONTOKEN', nameservice, parameters, signal);
    return long;
  }

  /** Cancels a token. One that the cluster does not know any more counts as cancelled. */
  async cancel({ nameservice, token }: Pick<HeldToken, 'nameservice' | 'token'>, signal: AbortSignal): Promise<void> {
    try {
      await this.#kerberos.call('PUT', 'CANCELDELEGATIONTOKEN', nameservice, { token }, signal);
    } catch (error) {
      if (!hasCode(error, 'token')) throw error;
    }
  }
}

/** For how long the cancelling of tokens may keep the user waiting at the end, ms. */
const CANCEL_MS = 10_000;
/** The least time between two renewals of a token, ms. */
const SOONEST_MS = 500;

/**
 * Delegation tokens of one process: got with the first request to a nameservice, renewed at half their life, replaced when
 * renewal no longer lengthens it or a namenode no longer knows them, cancelled at the end.
 */
export class ManagedTokens implements Authentication {
  readonly #client: TokenClient;
  readonly #log: Log;
  readonly #current = new Once<Credentials>();
  /** All tokens that were got, also those that were replaced: a request under way may still carry one. */
  readonly #held = new Map<Credentials, HeldToken>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #ending = new AbortController();

  constructor(client: TokenClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  credentials({ id }: Nameservice): Promise<Credentials> {
    return this.#current.of(id, () => this.#get(id));
  }

  async refused({ nameservice: { id }, used }: Refusal): Promise<boolean> {
    const current = this.#current.known(id);
    if (current && (await current.catch(() => undefined)) === used && this.#current.known(id) === current) {
      this.#log.warn({ cluster: this.#client.cluster }, 'the delegation token is no longer accepted: getting another');
      await this.#current.replace(id, this.#get(id));
    }
    return true;
  }

  async close(): Promise<void> {
    this.#ending.abort(new Error('closed'));
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#current.settled();
    const signal = AbortSignal.timeout(CANCEL_MS);
    const cancelled = [...this.#held.values()].map((held) =>
      this.#client.cancel(held, signal).catch((error: unknown) => {
        const reason = signal.aborted ? `no answer within ${CANCEL_MS / 1000} s` : messageOf(error);
        this.#log.warn({ cluster: this.#client.cluster, error: reason }, 'a delegation token was not cancelled');
      }),
    );
    await Promise.all(cancelled);
  }

  /** Gets a token and keeps it alive from then on. */
  async #get(nameservice: string): Promise<Credentials> {
    return this.#keep(await this.#client.get(nameservice, this.#ending.signal));
  }

  #keep(held: HeldToken): Credentials {
    const credentials = credentialsOf(held);
    this.#held.set(credentials, held);
    this.#watch(held, credentials);
    return credentials;
  }

  #watch(held: HeldToken, credentials: Credentials): void {
    if (this.#ending.signal.aborted) return;
    const waitMs = Math.max(SOONEST_MS, (held.renewedUntilMs - Date.now()) / 2);
    clearTimeout(this.#timers.get(held.nameservice));
    // Node's timers count to 2^31 ms.
    const timer = setTimeout(() => void this.#prolong(held, credentials), Math.min(waitMs, 2 ** 31 - 1));
    this.#timers.set(held.nameservice, timer.unref());
  }

  async #prolong(held: HeldToken, credentials: Credentials): Promise<void> {
    try {
      const prolonged = await prolong(held, this.#client, this.#ending.signal);
      if (prolonged.token === held.token) {
        this.#held.set(credentials, prolonged);
        this.#watch(prolonged, credentials);
      } else {
        await this.#current.replace(held.nameservice, Promise.resolve(this.#keep(prolonged)));
      }
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#log.warn(
        { cluster: this.#client.cluster, error: messageOf(error) },
        'the delegation token could not be renewed: trying again',
      );
      this.#watch(held, credentials);
    }
  }
}

/** Renews a token, or gets another in its place when its maximum lifetime is near or it is gone. */
export async function prolong(
  held: HeldToken,
  client: Pick<TokenClient, 'get' | 'renew'>,
  signal: AbortSignal,
): Promise<HeldToken> {
  try {
    const renewedUntilMs = await client.renew(held, signal);
    if (renewedUntilMs > held.renewedUntilMs) return { ...held, renewedUntilMs };
  } catch (error) {
    if (!hasCode(error, 'token')) throw error;
  }
  return client.get(held.nameservice, signal);
}

/**
 * Tokens that another process got and keeps alive.
 * @see ManagedTokens
 */
export class StoredTokens implements Authentication {
  #current: ReadonlyMap<string, Credentials>;
  readonly #cluster: string;
  readonly #reload: () => Promise<readonly HeldToken[]>;

  constructor(cluster: string, held: readonly HeldToken[], reload: () => Promise<readonly HeldToken[]>) {
    this.#cluster = cluster;
    this.#current = credentialsByNameservice(held);
    this.#reload = reload;
  }

  credentials({ id }: Nameservice): Promise<Credentials> {
    const credentials = this.#current.get(id);
    return credentials ? Promise.resolve(credentials) : Promise.reject(new NoTokenError(this.#cluster, id));
  }

  async refused({ nameservice: { id }, used }: Refusal): Promise<boolean> {
    if (this.#current.get(id) === used) this.#current = credentialsByNameservice(await this.#reload());
    return this.#current.get(id)?.parameters['delegation'] !== used.parameters['delegation'];
  }

  async close(): Promise<void> {
    // Other processes use the same tokens: the one that got them cancels them.
  }
}

function credentialsByNameservice(held: readonly HeldToken[]): ReadonlyMap<string, Credentials> {
  return new Map(held.map((token) => [token.nameservice, credentialsOf(token)]));
}

class NoTokenError extends FanoutError {
  override readonly name = 'NoTokenError';
  constructor(cluster: string, nameservice: string) {
    super(`cluster ${cluster}: there is no delegation token for this nameservice`, {
      disposition: 'fail-job',
      where: { operation: 'GETDELEGATIONTOKEN', path: nameservice },
      remedy: 'use auth_mechanism GSSAPI, or NONE when the cluster is not secure',
    });
  }
}

/** A token names its owner and, for a proxy user, who acts for the owner: `doas` is in it. */
function credentialsOf({ token }: HeldToken): Credentials {
  return { parameters: { delegation: token }, headers: {} };
}
