import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { Once } from '../../once.ts';
import { splitPort } from '../addresses.ts';
import type { HttpTransport } from '../http.ts';
import type { Nameservice } from '../nameservice.ts';
import { splitUrl } from '../urls.ts';

/** For how long a namenode may take to tell of its datanodes, ms. */
const ANSWER_MS = 5000;

interface LiveNode {
  readonly infoAddr?: string;
  readonly infoSecureAddr?: string;
  readonly xferaddr?: string;
}

/**
 * By which addresses a namenode knows datanodes that it is to leave out: IP address and port of the transfer of blocks, where redirects
 * have name and port of HTTP. Namenodes tell it (JMX); of one that does not tell us, the IP address alone will do where each of its hosts
 * has one datanode.
 * @see Hadoop NamenodeWebHdfsMethods.chooseDatanode, FSNamesystem.getLiveNodes
 */
export class TransferAddresses {
  readonly #http: HttpTransport;
  readonly #log: Log;
  readonly #known = new Once<string | undefined>();

  constructor(http: HttpTransport, log: Log) {
    this.#http = http;
    this.#log = log;
  }

  /** @param hosts  of redirects, `host:port`. @returns the addresses of those that are found */
  async of(hosts: readonly string[], nameservice: Nameservice): Promise<readonly string[]> {
    let asked: Promise<ReadonlyMap<string, string>> | undefined;
    const told = () => (asked ??= this.#told(nameservice));
    const found = hosts.map((host) => this.#known.of(host, async () => (await told()).get(host) ?? resolved(host)));
    return (await Promise.all(found)).filter((address) => address !== undefined);
  }

  /** Addresses by the `host:port` of redirects. */
  async #told({ url }: Nameservice): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    try {
      // Namenodes that share a JVM show each other's, numbered.
      const path = '/jmx?get=Hadoop:service=NameNode,name=NameNodeInfo*::LiveNodes';
      const where = { operation: 'GET', path: '/jmx', host: splitUrl(url).host };
      // For all who wait for it: none of them can end it.
      const limit = AbortSignal.timeout(ANSWER_MS);
      const { text } = await this.#http.exchange('GET', `${url}${path}`, where, limit);
      const { beans = [] } = JSON.parse(text) as { beans?: { LiveNodes?: string }[] };
      for (const { LiveNodes: nodes = '{}' } of beans) {
        for (const [name, node] of Object.entries(JSON.parse(nodes) as Record<string, LiveNode>)) {
          const hostname = name.replace(/:\d+$/, '');
          for (const info of [node.infoAddr, node.infoSecureAddr]) {
            const port = /:\d+$/.exec(info ?? '')?.[0];
            if (port !== undefined && node.xferaddr !== undefined) found.set(`${hostname}${port}`, node.xferaddr);
          }
        }
      }
    } catch (error) {
      this.#log.debug({ reason: messageOf(error) }, 'the namenode does not tell the addresses of its datanodes');
    }
    return found;
  }
}

async function resolved(host: string): Promise<string | undefined> {
  const { hostname } = splitPort(host);
  if (isIP(hostname) !== 0) return hostname;
  return (await lookup(hostname).catch(() => undefined))?.address;
}
