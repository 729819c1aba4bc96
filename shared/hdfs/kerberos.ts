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

/** There is no Kerberos ticket for a cluster, which was not asked therefore. */
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

/** Loads the addon when the first cluster needs it: without such a cluster it need not be installed. */
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
const remedies: readonly (readonly [message: RegExp, remedy: (cluster: Cluster) => string])[] = [
  [/Cannot (?:contact any KDC|find KDC|resolve)/i, () => 'check the KDC of the realm in krb5_conf, and that it runs'],
  [/Server .* not found in Kerberos database/i, () => 'use the host name for which the cluster has an HTTP principal'],
  [/Client .* not found in Kerberos database/i, () => 'check the principal'],
  [
    /Preauthentication failed|Decrypt integrity check failed/i,
    () => 'ask for a new keytab: the keys of this one are old',
  ],
  [/Clock skew too great/i, () => 'set the clock of this machine'],
  [
    /expired/i,
    ({ keytab }) => (keytab === undefined ? 'get a new ticket with kinit, or name a keytab' : 'try kinit -kt'),
  ],
  [
    /./,
    ({ keytab }) =>
      keytab === undefined
        ? 'get a ticket with kinit, or name principal and keytab'
        : `check that the keytab has a key of the principal: klist -kt ${keytab}`,
  ],
];

function kerberosError(error: unknown, cluster: Cluster, host: string, where: Where): KerberosError {
  const { name, principal } = cluster;
  const text = messageOf(error)
    .replace(/^.*Minor code may provide more information[.:]?\s*/i, '')
    .replace(
      /^(?:GSS-?API error|No credentials were supplied, or the credentials were unavailable or inaccessible):\s*/gi,
      '',
    );
  const who = principal === undefined ? '' : ` as ${principal}`;
  const remedy = remedies.find(([message]) => message.test(text))?.[1](cluster);
  const reason = `cluster ${name}: no Kerberos ticket for HTTP/${host}${who}: ${text}`;
  return new KerberosError(reason, remedy ?? '', where, error);
}
