import { TransportError } from '../errors.ts';
import { codeOf } from '../hdfs/transport-error.ts';
import { type Context, findingOf } from './context.ts';
import { failed, type Finding, ok } from './row.ts';
import { tryTcp } from './sockets.ts';

/** Whether something listens at every URL's port, and no firewall is in between. */
export async function connections(context: Context): Promise<void> {
  await context.eachEndpoint('connection', ['name'], async (endpoint) => {
    try {
      return ok(`TCP in ${Math.ceil(await tryTcp(endpoint, context.connector))} ms`);
    } catch (error) {
      return connectionFailure(error);
    }
  });
}

export function connectionFailure(error: unknown): Finding {
  if (!(error instanceof TransportError)) return findingOf(error);
  return failed(error.reason, remedies[codeOf(error.cause)] ?? error.remedy);
}

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'correct the port, or start what should listen there',
  UND_ERR_CONNECT_TIMEOUT: 'open the port to this machine: firewalls, security groups, routes; or start the host',
  EHOSTUNREACH: 'add a route to the host: VPN, peering, transit gateway',
  ENETUNREACH: 'add a route to the network: VPN, peering, transit gateway',
};
