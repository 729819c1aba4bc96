import type { Cluster } from '../hdfs/cluster.ts';
import { basename } from '../storage/path.ts';
import { CLOCK_REMEDY } from './clock.ts';
import { type Context, findingOf } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { type Finding, failed, ok, warning } from './row.ts';
import { hasCode } from '../storage/errors.ts';

/** Whether every server lets us in, and as whom. Standby namenodes answer this as well. */
export async function authentication(context: Context): Promise<void> {
  const { signal, examination } = context;
  const { cluster } = examination;
  const how = cluster.doas === undefined ? cluster.auth_mechanism : `${cluster.auth_mechanism}, for ${cluster.doas}`;
  await context.eachEndpoint('authentication', ['TLS'], async (endpoint) => {
    try {
      const { text } = await endpoint.ask('GET', 'GETHOMEDIRECTORY', '/', {}, signal);
      const home = (JSON.parse(text) as { Path: string }).Path;
      endpoint.home = home;
      return seenAs(basename(home), how, cluster);
    } catch (error) {
      const { found, remedy } = findingOf(error);
      if (/\bskew\b/i.test(found)) return failed(`${how}: ${found}`, CLOCK_REMEDY);
      if (!hasCode(error, 'unauthenticated')) return failed(`${how}: ${found}`, remedy);
      return failed(`${how}: ${found}`, (await wantedBy(endpoint, signal)) ?? remedy);
    }
  });
}

function seenAs(user: string, how: string, cluster: Cluster): Finding {
  const meant = cluster.doas ?? (['NONE', 'BASIC'].includes(cluster.auth_mechanism) ? cluster.user : undefined);
  if (meant === undefined || meant === user) return ok(`${how}: the server sees ${user}`);
  const remedy =
    cluster.doas === undefined
      ? 'check the cluster’s auth_to_local rules'
      : 'a token acts as its owner: get one for doas';
  return warning(`${how}: the server sees ${user}, not ${meant}`, remedy);
}

/** What a server asks for that did not let us in. */
async function wantedBy(endpoint: Endpoint, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { challenge = '' } = await endpoint.knock('/webhdfs/v1/?op=GETHOMEDIRECTORY', signal);
    if (/\bnegotiate\b/i.test(challenge)) {
      return 'it asks for Kerberos: set auth_mechanism to TKN_GSSAPI, or check the ticket';
    }
    return /\bbasic\b/i.test(challenge)
      ? 'it asks for user and password: check auth_mechanism, user, password'
      : undefined;
  } catch {
    return undefined;
  }
}
