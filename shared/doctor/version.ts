import { FanoutError } from '../errors.ts';
import { splitUrl } from '../hdfs/urls.ts';
import { join } from '../storage/path.ts';
import type { Context } from './context.ts';
import type { Dialect, Endpoint } from './endpoint.ts';
import { ok } from './row.ts';

/** Which of its dialects every server speaks, and its version where it tells one. */
export async function version(context: Context): Promise<void> {
  await context.eachEndpoint('version', ['authentication'], async (endpoint) => {
    endpoint.dialect = await dialectOf(endpoint, context);
    const release = await releaseOf(endpoint, context.signal);
    return ok(`${endpoint.dialect ?? 'dialect unknown'}, Hadoop ${release ?? 'of unknown version'}`);
  });
}

/** Tells a dialect by where the server redirects a CREATE, whose first step changes nothing. */
async function dialectOf(endpoint: Endpoint, context: Context): Promise<Dialect | undefined> {
  try {
    const path = join(endpoint.home ?? '/', '.hdfs-fanout-doctor');
    const { location } = await endpoint.ask('PUT', 'CREATE', path, {}, context.signal);
    if (location === undefined) return undefined;
    const { path: target } = splitUrl(location);
    if (/[?&]namenoderpcaddress=/.test(target)) {
      context.datanodeUrls.add(location);
      return 'WebHDFS';
    }
    return /[?&]data=true/.test(target) ? 'HttpFS' : 'gateway';
  } catch (error) {
    // No datanode to send to: only a namenode looks for one.
    return error instanceof FanoutError && /datanode/i.test(error.reason) ? 'WebHDFS' : undefined;
  }
}

async function releaseOf(endpoint: Endpoint, signal: AbortSignal): Promise<string | undefined> {
  const bean = await endpoint.bean('NameNodeInfo', signal);
  const told = bean?.['SoftwareVersion'] ?? bean?.['Version'];
  return typeof told === 'string' ? told.split(',')[0] : undefined;
}
