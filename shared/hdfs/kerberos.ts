import { createRequire } from 'node:module';
import { messageOf, SpecError, FanoutError, type Where } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { kerberosEnvironment } from './kerberos-environment.ts';

/** What is used of the npm package `kerberos`, which carries no types. */
interface Addon {
  readonly GSS_C_MUTUAL_FLAG: number;
  readonly GSS_MECH_OID_SPNEGO: number;
  initializeClient(
    service: string,
    options: { mechOID: number; gssFlags: number; principal?: string },
  ): Promise<Negotiation>;
}

/** One GSSAPI context of a client. @see RFC 4559 (SPNEGO over HTTP), RFC 4178 */
export interface Negotiation {
  /** True once both sides know each other. */
  readonly contextComplete: boolean;
  /** @param challenge  base64, empty at first. @returns base64, for `Authorization: Negotiate` */
  step(challenge: string): Promise<string>;
}

/** The Kerberos library could not give a ticket: nothing was asked of the cluster with it. */
export class KerberosError extends FanoutError {
  override readonly name = 'KerberosError';
  constructor(reason: string, remedy: string, where: Where, cause?: unknown) {
    super(reason, { disposition: 'fail-job', where, remedy, cause });
  }
}

/** Begins to authenticate to the HTTP service of a host, with a ticket for `HTTP/host`. @throws KerberosError */
export async function negotiate(
  cluster: Cluster,
  host: string,
  where: Where,
): Promise<{ readonly negotiation: Negotiation; readonly token: string }> {
  const addon = loadAddon(cluster);
  kerberosEnvironment.enter();
  try {
    const negotiation = await addon.initializeClient(`HTTP@${host}`, {
      mechOID: addon.GSS_MECH_OID_SPNEGO,
      gssFlags: addon.GSS_C_MUTUAL_FLAG,
      ...(cluster.principal === undefined ? {} : { principal: cluster.principal }),
    });
    return { negotiation, token: await negotiation.step('') };
  } catch (error) {
    throw kerberosError(error, cluster, host, where);
  }
}

/** Loaded when the first cluster needs it: on other machines it need not be there. */
function loadAddon({ name }: Cluster): Addon {
  try {
    // Not by import, which does not look where a Lambda layer is ($NODE_PATH).
    return createRequire(import.meta.url)('kerberos') as Addon;
  } catch (error) {
    throw new SpecError(
      `cluster ${name} uses Kerberos, and the addon for it does not load: ${messageOf(error).split(' Require stack')[0] ?? ''}`,
      'install it: npm install kerberos (needs libkrb5 and, to build it, its headers, g++ and make)',
      error,
    );
  }
}

/** What MIT Kerberos says, and what to do about it. */
const remedies: readonly (readonly [message: RegExp, remedy: string])[] = [
  [
    /Cannot contact any KDC|Cannot resolve (?:network address|servers) for KDC/i,
    'check the KDC of the realm in krb5_conf',
  ],
  [/Cannot find KDC for realm/i, 'name the KDC of the realm in krb5_conf'],
  [/not found in Kerberos database/i, 'check the principal, and that HTTP/HOST is the name of the server’s own'],
  [
    /Preauthentication failed|Decrypt integrity check failed|Password incorrect/i,
    'make the keytab anew: its keys are old',
  ],
  [/Clock skew too great/i, 'set the clock of this machine'],
  [/Ticket expired|credentials have expired/i, 'get a new ticket with kinit, or name a keytab'],
  [
    /Keytab contains no suitable keys|No key table entry|client keytab/i,
    'check that the keytab holds the principal (klist -kt)',
  ],
  [
    /No (?:Kerberos )?credentials|credentials cache .* not found|can't get .*cred|No such file/i,
    'get a ticket with kinit, or name principal and keytab',
  ],
];

function kerberosError(error: unknown, { name, principal }: Cluster, host: string, where: Where): KerberosError {
  const text = messageOf(error)
    .replace(/^.*Minor code may provide more information[.:]?\s*/i, '')
    .replace(/^GSS-?API error:\s*/i, '');
  const who = principal === undefined ? '' : ` as ${principal}`;
  const remedy = remedies.find(([message]) => message.test(text))?.[1] ?? 'try kinit and klist on this machine';
  return new KerberosError(`cluster ${name}: no Kerberos ticket for HTTP/${host}${who}: ${text}`, remedy, where, error);
}
