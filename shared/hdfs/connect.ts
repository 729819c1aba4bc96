import type { Log } from '../log.ts';
import { type Authentication, FixedAuthentication } from './auth.ts';
import type { Cluster } from './cluster.ts';
import { ManagedTokens, TokenClient } from './delegation-tokens.ts';
import { HttpTransport } from './http.ts';
import { NamenodeRest } from './rest.ts';
import { Spnego } from './spnego.ts';
import { tlsOptions } from './tls.ts';

/**
 * A cluster's namenodes, to be asked in the way its definition says. Asks nothing yet.
 * @param authentication  in place of what the definition says, where tokens come from elsewhere
 * @throws SpecError when a file that the definition names cannot be used
 */
export function connect(cluster: Cluster, log: Log, authentication?: Authentication): NamenodeRest {
  const http = new HttpTransport(tlsOptions(cluster), cluster.timeout * 1000, cluster.datanode_addresses);
  return new NamenodeRest(cluster, http, authentication ?? authenticationOf(cluster, http, log), log);
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
