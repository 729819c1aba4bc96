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
/** Before it is asked again for what it has not told, ms. */
const ASK_AGAIN_MS = 60_000;

interface LiveNode {
  readonly infoAddr?: string;
  readonly infoSecureAddr?: string;
  readonly xferaddr?: string;
}

/** What a namenode was asked, and what it has told up to then. */
interface Asked {
  readonly atMs: number;
  /** Addresses by the `host:port` of redirects. */
  readonly told: Promise<ReadonlyMap<string, string>>;
  /** Those that were found without it. */
  readonly resolved: Once<string | undefined>;
}

/**
 * By which addresses a namenode knows datanodes that it is to leave out: IP address and port of the transfer of blocks, where redirects
 * have name and port of HTTP. Namenodes tell it (JMX); of one that does not tell us, the IP address alone will do where each of its hosts
 * has one datanode. What is told is kept; what is not told is asked for again after a while.
 * @see Hadoop NamenodeWebHdfsMethods.chooseDatanode, FSNamesystem.getLiveNodes
 */
export class TransferAddresses {
  readonly #http: HttpTransport;
  readonly #log: Log;
  readonly #now: () => number;
  /** By URL of the namenode. */
  readonly #asked = new Map<string, Asked>();

  /** @param now  ms */
  constructor(http: HttpTransport, log: Log, now = () => performance.now()) {
    this.#http = http;
    this.#log = log;
    this.#now = now;
  }

  /** @param hosts  of redirects, `host:port`. @returns the addresses of those that are found, and that a namenode can leave out */
  async of(hosts: readonly string[], { url }: Pick<Nameservice, 'url'>): Promise<readonly string[]> {
    const { told, resolved } = await this.#askedFor(hosts, url);
    const known = await told;
    const found = hosts.map((host) => addressOf(host, known, resolved));
    return (await Promise.all(found)).filter((address) => address !== undefined).filter((address) => !isIPv6(address));
  }

  async #askedFor(hosts: readonly string[], url: string): Promise<Asked> {
    const before = this.#asked.get(url);
    const atMs = this.#now();
    if (before && atMs - before.atMs < ASK_AGAIN_MS) return before;
    const known = await before?.told;
    if (before && hosts.every((host) => known?.has(host))) return before;
    // Others may have waited for the same.
    const now = this.#asked.get(url);
    if (now && now !== before) return now;
    const asked = { atMs, told: this.#told(url, known), resolved: new Once<string | undefined>() };
    this.#asked.set(url, asked);
    return asked;
  }

  async #told(url: string, known: ReadonlyMap<string, string> = new Map()): Promise<ReadonlyMap<string, string>> {
    const found = new Map(known);
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

/** A namenode takes what is before the first colon for the host. @see Hadoop NamenodeWebHdfsMethods.chooseDatanode */
function isIPv6(address: string): boolean {
  return address.indexOf(':') !== address.lastIndexOf(':');
}

async function addressOf(
  host: string,
  known: ReadonlyMap<string, string>,
  resolved: Once<string | undefined>,
): Promise<string | undefined> {
  return known.get(host) ?? resolved.of(host, () => resolvedOf(host));
}

async function resolvedOf(host: string): Promise<string | undefined> {
  const { hostname } = splitPort(host);
  if (isIP(hostname) !== 0) return hostname;
  return (await lookup(hostname).catch(() => undefined))?.address;
}
