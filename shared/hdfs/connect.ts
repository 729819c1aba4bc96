import type { Log } from '../log.ts';
import { type Authentication, FixedAuthentication } from './auth.ts';
import type { Cluster } from './cluster.ts';
import type { Route } from './connector.ts';
import type { Turn } from '../limits/limits.ts';
import { ManagedTokens, TokenClient } from './delegation-tokens.ts';
import { HttpTransport } from './http.ts';
import type { Contact } from './nameservice.ts';
import { NamenodeRest } from './rest.ts';
import { Spnego } from './spnego.ts';
import { type Pace, STALL_MS } from '../storage/pace.ts';
import { tlsOptions } from './tls.ts';

/** For making one connection, s: a host that swallows packets costs no more before the next one is asked. */
const CONNECT_S = 10;

/** How a cluster's servers are reached. @throws SpecError when a file that the definition names cannot be used */
export function routeOf(cluster: Cluster): Route {
  const connectMs = Math.min(CONNECT_S, cluster.timeout) * 1000;
  return { tls: tlsOptions(cluster), connectMs, addresses: cluster.datanode_addresses, proxy: cluster.proxy };
}

/**
 * A cluster's namenodes, to be asked in the way its definition says. Asks nothing yet.
 * @param authentication  in place of what the definition says, where tokens come from elsewhere
 * @param contact  whether its addresses are known to be right
 * @param turn  what each request to a namenode waits for
 * @param pace  what transfers are held to
 * @throws SpecError when a file that the definition names cannot be used
 */
export function connect(
  cluster: Cluster,
  log: Log,
  authentication?: Authentication,
  contact: Contact = 'first',
  turn?: Turn,
  { stallMs, leastRate }: Pace = { leastRate: 0 },
): NamenodeRest {
  const answerMs = cluster.timeout * 1000;
  const dataMs = cluster.data_timeout === undefined ? Math.max(STALL_MS, answerMs) : cluster.data_timeout * 1000;
  const http = new HttpTransport(routeOf(cluster), { answerMs, dataMs, stallMs: stallMs ?? dataMs, leastRate });
  return new NamenodeRest(cluster, http, authentication ?? authenticationOf(cluster, http, log), log, contact, turn);
}

function authenticationOf(cluster: Cluster, http: HttpTransport, log: Log): Authentication {
  switch (cluster.auth_mechanism) {
    case 'GSSAPI':
      return new Spnego(cluster, http);
    case 'TKN_GSSAPI': {
      const kerberos = new NamenodeRest(cluster, http, new Spnego(cluster, http), log);
      return new ManagedTokens(new TokenClient(kerberos), log);
    }
    default:
      return new FixedAuthentication(cluster);
  }
}
