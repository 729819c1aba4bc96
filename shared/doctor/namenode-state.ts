import type { Context } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { type Finding, failed, ok } from './row.ts';
import { hasCode } from '../storage/errors.ts';

/** Which namenode of each nameservice is active, and whether it takes writes. Asks for nothing that needs a right. */
export async function namenodeState(context: Context): Promise<void> {
  const { endpoints } = context;
  const roles = new Map<Endpoint, Promise<string>>();
  const roleOf = (endpoint: Endpoint): Promise<string> => {
    const role = roles.get(endpoint) ?? roleFrom(endpoint, context.signal);
    roles.set(endpoint, role);
    return role;
  };
  await context.eachEndpoint('state', ['authentication'], async (endpoint): Promise<Finding> => {
    const role = await roleOf(endpoint);
    if (role === 'active') {
      endpoint.active = true;
      return safeModeFinding(endpoint, context);
    }
    const others = endpoints.filter((other) => other.nameservice === endpoint.nameservice && isReached(other));
    const found = await Promise.all(others.map((other) => roleOf(other).catch(() => 'unknown')));
    if (found.includes('active')) return ok(role);
    return failed(
      `${role}, and none of its nameservice is active`,
      'hdfs haadmin -getAllServiceState; make one active',
    );
  });
}

function isReached({ missing }: Endpoint): boolean {
  return !missing.has('authentication');
}

/** @throws what a namenode answers that is neither */
async function roleFrom(endpoint: Endpoint, signal: AbortSignal): Promise<'active' | 'standby' | 'starting'> {
  try {
    await endpoint.ask('GET', 'GETFILESTATUS', '/', {}, signal);
    return 'active';
  } catch (error) {
    if (hasCode(error, 'standby')) return 'standby';
    if (hasCode(error, 'busy', 'safe-mode')) return 'starting';
    // Whoever may not look at the root was refused by an active namenode.
    if (hasCode(error, 'denied')) return 'active';
    throw error;
  }
}

async function safeModeFinding(endpoint: Endpoint, context: Context): Promise<Finding> {
  const told = await endpoint.bean('FSNamesystemState', context.signal);
  const state = told?.['FSState'];
  if (typeof state === 'string') endpoint.safeMode = state !== 'Operational';
  else if (context.examination.readOnly) return ok('active');
  else endpoint.safeMode = await refusesWrites(endpoint, context.signal);
  if (!endpoint.safeMode) return ok('active');
  return failed(
    'active, in safe mode: it can be read from and not be written to',
    'hdfs dfsadmin -safemode get, leave',
  );
}

/** Making the root directory changes nothing, and safe mode refuses even that. */
async function refusesWrites(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  try {
    await endpoint.ask('PUT', 'MKDIRS', '/', {}, signal);
    return false;
  } catch (error) {
    return hasCode(error, 'safe-mode');
  }
}
