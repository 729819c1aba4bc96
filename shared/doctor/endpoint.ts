import type { Log } from '../log.ts';
import { Once } from '../once.ts';
import { hostPortOf, type HostPort } from '../hdfs/addresses.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import { splitUrl } from '../hdfs/urls.ts';
import { connect } from '../hdfs/connect.ts';
import type { NamenodeRest, Parameters } from '../hdfs/rest.ts';
import type { Answer } from '../hdfs/http.ts';
import type { CheckName } from './row.ts';

/** For how long one request to a namenode may take, s. */
export const REQUEST_S = 4;

/** How a server speaks. */
export type Dialect = 'WebHDFS' | 'HttpFS' | 'gateway';

/** One URL of the cluster, and what the checks have learnt about it so far. */
export class Endpoint implements HostPort {
  readonly url: string;
  /** `host:port` as in the URL. */
  readonly host: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** Index of its nameservice in the cluster's definition. */
  readonly nameservice: number;
  /** Sends each request to this address alone, and once. */
  readonly rest: NamenodeRest;
  /** Checks that failed or were skipped here: what needs them is skipped. */
  readonly missing = new Set<CheckName>();
  /** The user that the server takes us for, and its home directory. */
  home: string | undefined;
  active = false;
  safeMode = false;
  dialect: Dialect | undefined;
  /** Whether the server asks for Kerberos. */
  kerberos = false;
  readonly #beans = new Once<Bean | undefined>();

  constructor(cluster: Cluster, url: string, nameservice: number, log: Log) {
    this.url = url;
    this.nameservice = nameservice;
    const { origin, host } = splitUrl(url);
    this.host = host;
    ({ hostname: this.hostname, port: this.port } = hostPortOf(origin));
    this.secure = new URL(origin).protocol === 'https:';
    const nameservices = [{ urls: [url], mounts: ['/'] }];
    this.rest = connect({ ...ticketOf(cluster), timeout: REQUEST_S, retry_timeout: 0, nameservices }, log);
  }

  /** One request, with the cluster's authentication. */
  ask(method: string, operation: string, path: string, parameters: Parameters, signal: AbortSignal): Promise<Answer> {
    return this.rest.once(this.rest.nameservice('/'), method, operation, path, parameters, signal);
  }

  /** A request without authentication: what matters is that something answers. @param path  below the URL */
  knock(path: string, signal: AbortSignal): Promise<Answer> {
    const where = { operation: 'GET', path, host: this.host };
    return this.rest.http.exchange('GET', `${this.url}${path}`, where, signal);
  }

  /** What a namenode tells anyone of itself, unless it was told not to. @param name  such as `NameNodeInfo` */
  bean(name: string, signal: AbortSignal): Promise<Bean | undefined> {
    return this.#beans.of(name, () => this.#readBean(name, signal));
  }

  async #readBean(name: string, signal: AbortSignal): Promise<Bean | undefined> {
    try {
      const { status, text } = await this.knock(`/jmx?qry=Hadoop:service=NameNode,name=${name}`, signal);
      return status === 200 ? (JSON.parse(text) as { beans?: Bean[] }).beans?.[0] : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A standby namenode gives no token, and takes a ticket. */
function ticketOf(cluster: Cluster): Cluster {
  return cluster.auth_mechanism === 'TKN_GSSAPI' ? { ...cluster, auth_mechanism: 'GSSAPI' } : cluster;
}

/** A bean of JMX: attribute → value. */
export type Bean = Readonly<Record<string, unknown>>;
