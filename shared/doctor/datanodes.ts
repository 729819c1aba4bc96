import pLimit from 'p-limit';
import { hostPortOf, type HostPort } from '../hdfs/addresses.ts';
import { splitUrl } from '../hdfs/urls.ts';
import { codeOf } from '../hdfs/transport-error.ts';
import { join } from '../storage/path.ts';
import { certificateFinding } from './certificates.ts';
import { connectionFailure } from './connections.ts';
import { type Context, findingOf, type Serving } from './context.ts';
import { type Finding, ok, skipped, warning } from './row.ts';
import { tryTcp, tryTls } from './sockets.ts';

/** Files of PATH whose datanodes are asked for. */
const FILES = 8;
/** Datanodes that are tried at most. */
const TRIED = 256;
/** Datanodes that are tried at once. */
const AT_ONCE = 64;
/** Datanodes that are shown one by one at most; of more only failures are. */
const SHOWN = 12;

interface Datanode extends HostPort {
  readonly host: string;
  readonly secure: boolean;
}

/** Whether the datanodes are reached under the names by which the namenode redirects to them: bytes go there directly. */
export async function datanodes(context: Context): Promise<void> {
  const { serving } = context;
  if (typeof serving === 'string')
    return context.report('datanode', context.examination.cluster.name, skipped(serving));
  const { endpoint } = serving;
  let known: Datanode[];
  try {
    known = await knownDatanodes(context, serving);
  } catch (error) {
    return context.report('datanode', endpoint.host, findingOf(error));
  }
  if (known.length === 0) {
    const by = endpoint.dialect === 'HttpFS' || endpoint.dialect === 'gateway';
    const finding = by
      ? skipped(`${endpoint.dialect} passes all bytes itself`)
      : warning('the namenode redirected to no datanode', 'hdfs dfsadmin -report');
    return context.report('datanode', endpoint.host, finding);
  }
  const limit = pLimit(AT_ONCE);
  const tried = known.slice(0, TRIED);
  const findings = tried.map((datanode) => limit(() => tryDatanode(datanode, context)));
  let shown = 0;
  let good = 0;
  for (const [i, { host }] of tried.entries()) {
    const finding = await findings[i];
    if (!finding) continue;
    if (finding.state === 'ok') good += 1;
    if (tried.length > SHOWN && (finding.state === 'ok' || shown >= SHOWN)) continue;
    shown += 1;
    context.report('datanode', host, finding);
  }
  if (tried.length > SHOWN) {
    const left = known.length > tried.length ? `; ${known.length - tried.length} more were not tried` : '';
    const finding = `${good} of ${tried.length} datanodes are reached${left}`;
    context.report('datanode', endpoint.host, ok(finding));
  }
}

async function tryDatanode(datanode: Datanode, context: Context): Promise<Finding> {
  const { connector, examination } = context;
  try {
    if (!datanode.secure) return ok(`TCP in ${Math.ceil(await tryTcp(datanode, connector))} ms`);
    const handshake = await tryTls(datanode, connector);
    return certificateFinding(handshake, examination.cluster.verify, Date.now());
  } catch (error) {
    const unresolved = ['ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error instanceof Error ? error.cause : undefined));
    const finding = connectionFailure(error);
    return unresolved
      ? {
          ...finding,
          remedy: 'make the names of the datanodes resolve here, or name their addresses in datanode_addresses',
        }
      : finding;
  }
}

/** The datanodes to which a namenode redirects for some files and for new ones, and all live ones where it tells them. */
async function knownDatanodes(context: Context, serving: Serving): Promise<Datanode[]> {
  const { endpoint, path } = serving;
  const { signal, datanodeUrls } = context;
  const redirected = async (method: string, operation: string, file: string) => {
    const { location } = await endpoint.ask(method, operation, file, { length: 1 }, signal);
    if (location !== undefined && /[?&]namenoderpcaddress=/.test(location)) datanodeUrls.add(location);
  };
  const scratch = join(path, '.hdfs-fanout-doctor');
  const files = await filesIn(context, serving);
  const asked = await Promise.allSettled([
    redirected('PUT', 'CREATE', scratch),
    redirected('PUT', 'CREATE', scratch),
    ...files.map((file) => redirected('GET', 'OPEN', file)),
  ]);
  const known = new Map<string, Datanode>();
  for (const url of datanodeUrls) {
    const { host, origin } = splitUrl(url);
    known.set(host, { host, ...hostPortOf(origin), secure: new URL(origin).protocol === 'https:' });
  }
  for (const datanode of await toldDatanodes(context, serving)) known.set(datanode.host, datanode);
  const refused = asked.find((result) => result.status === 'rejected');
  if (known.size === 0 && refused) throw refused.reason;
  return [...known.values()];
}

/** The first non-empty files of PATH. */
async function filesIn({ signal }: Context, { fs, path }: Serving): Promise<string[]> {
  try {
    for await (const page of fs.list(path, signal)) {
      const files = page.filter(({ kind, lengthBytes }) => kind === 'file' && lengthBytes > 0);
      return files.slice(0, FILES).map(({ name }) => join(path, name));
    }
  } catch {
    // Who may not list may still write.
  }
  return [];
}

interface LiveNode {
  readonly infoAddr?: string;
  readonly infoSecureAddr?: string;
  readonly adminState?: string;
}

/** Every live datanode under the name that a redirect would have. @see FSNamesystem.getLiveNodes */
async function toldDatanodes({ signal }: Context, { endpoint }: Serving): Promise<Datanode[]> {
  const text = (await endpoint.bean('NameNodeInfo', signal))?.['LiveNodes'];
  if (typeof text !== 'string') return [];
  return Object.entries(JSON.parse(text) as Record<string, LiveNode>).flatMap(([name, node]) => {
    const port = portOf(endpoint.secure ? node.infoSecureAddr : node.infoAddr);
    if (port === undefined || port === 0) return [];
    const hostname = name.replace(/:\d+$/, '');
    return [{ host: `${hostname}:${port}`, hostname, port, secure: endpoint.secure }];
  });
}

function portOf(address: string | undefined): number | undefined {
  const port = /:(\d+)$/.exec(address ?? '')?.[1];
  return port === undefined ? undefined : Number(port);
}
