import { FanoutError, RefusedError, type Where } from '../errors.ts';
import { Once } from '../once.ts';
import { asUser, type Authentication, type Credentials, explained, type Refusal } from './auth.ts';
import type { Cluster } from './cluster.ts';
import type { HttpTransport } from './http.ts';
import { splitUrl } from './urls.ts';
import { negotiate } from './kerberos.ts';
import { kerberosEnvironment } from './kerberos-environment.ts';
import type { Nameservice } from './nameservice.ts';
import { remoteErrorOf } from './remote-exception.ts';

/**
 * Kerberos over HTTP. A server is asked once who we are; its signed cookie then stands for the ticket, so that neither
 * the KDC nor the server's replay cache sees every request.
 *
 * @see RFC 4559; Hadoop's KerberosAuthenticationHandler and AuthenticationFilter
 */
export class Spnego implements Authentication {
  readonly #cluster: Cluster;
  readonly #http: HttpTransport;
  readonly #credentials = new Once<Credentials>();

  /** @throws SpecError when the Kerberos settings of this process contradict each other */
  constructor(cluster: Cluster, http: HttpTransport) {
    this.#cluster = cluster;
    this.#http = http;
    kerberosEnvironment.add(cluster);
  }

  credentials(_nameservice: Nameservice, base: string): Promise<Credentials> {
    return this.#credentials.of(base, () => this.#authenticate(base));
  }

  async refused({ base, used, code }: Refusal): Promise<boolean> {
    if (code !== 'unauthenticated') return false;
    const known = this.#credentials.known(base);
    if (known && (await known.catch(() => undefined)) === used) this.#credentials.forget(base, known);
    return true;
  }

  async close(): Promise<void> {
    // Nothing to cancel: a server takes no cookie back.
  }

  /** Logs in to one address. Several requests may wait for it: it ends by the transport's time-outs, not by the signal of any of them. */
  async #authenticate(base: string): Promise<Credentials> {
    const { host } = splitUrl(base);
    const where: Where = { operation: 'GETHOMEDIRECTORY', path: '/', host };
    const { hostname } = new URL(base);
    const { negotiation, token } = await negotiate(this.#cluster, hostname, where);
    const url = `${base}/webhdfs/v1/?op=GETHOMEDIRECTORY`;
    const headers = this.#http.cookies.addTo(base, { authorization: `Negotiate ${token}` });
    const answer = await this.#http.exchange('GET', url, where, unaborted, headers).catch((error: unknown) => {
      throw error instanceof FanoutError ? explained(this.#cluster, error) : error;
    });
    const { status, text, challenge, cookies } = answer;
    // A balancer must lead the next request to the server that signs the cookie.
    this.#http.cookies.keep(base, cookies);
    const cookie = cookies.map((line) => line.split(';')[0] ?? '').find((pair) => /^hadoop\.auth="?[^"]/.test(pair));
    if (status === 401 || (cookie === undefined && status >= 400)) {
      throw explained(this.#cluster, remoteErrorOf(status, text, where));
    }
    if (this.#cluster.mutual_auth !== 'DISABLED') await this.#checkServer(negotiation, challenge, where);
    if (cookie === undefined) {
      throw new RefusedError(
        `cluster ${this.#cluster.name}: ${host} accepted the ticket and gave no hadoop.auth cookie`,
        'use auth_mechanism TKN_GSSAPI or TOKEN',
      );
    }
    return { parameters: asUser(this.#cluster), headers: { cookie } };
  }

  /** The server's half of the context: it shows that it has the key of HTTP/host. @see RFC 4121 */
  async #checkServer(
    negotiation: Awaited<ReturnType<typeof negotiate>>['negotiation'],
    challenge: string | undefined,
    where: Where,
  ): Promise<void> {
    const answer = /Negotiate +([\w+/=]+)/i.exec(challenge ?? '')?.[1];
    if (answer === undefined && this.#cluster.mutual_auth === 'OPTIONAL') return;
    const proved =
      answer !== undefined &&
      (await negotiation.step(answer).then(
        () => negotiation.contextComplete,
        () => false,
      ));
    if (proved) return;
    throw new RefusedError(
      `cluster ${this.#cluster.name}: ${where.host ?? ''} did not prove to be HTTP/${new URL(`http://${where.host ?? ''}`).hostname}`,
      'check that the address is the right one; mutual_auth is ' + this.#cluster.mutual_auth,
    );
  }
}

const unaborted = new AbortController().signal;
