import pLimit from 'p-limit';
import { JobClosedError, messageOf } from '../errors.ts';
import type { Access } from '../endpoints/registry.ts';
import { usesKerberos } from '../hdfs/cluster.ts';
import { StoredTokens, type TokenClient } from '../hdfs/delegation-tokens.ts';
import { nameservicesOf } from '../hdfs/nameservice.ts';
import { Logins } from './logins.ts';
import type { Services } from './services.ts';
import type { JobSpec } from '../job/spec.ts';
import { locationsOf } from '../endpoints/location.ts';

/** A cluster as a copier sees it: its definition, and the credential that the planner kept for this job. Needs no Kerberos. */
export async function accessOfJob(
  { secrets, tokens }: Pick<Services, 'secrets' | 'tokens'>,
  job: string,
  alias: string,
): Promise<Access> {
  const cluster = await secrets.definition(alias);
  if (cluster.auth_mechanism === 'NONE') return { cluster };
  if (!usesKerberos(cluster)) return { cluster: { ...cluster, ...(await tokens.given(job, alias)) } };
  const held = () => tokens.held(job, alias);
  return { cluster, authentication: new StoredTokens(alias, await held(), held) };
}

type Keeping = Pick<Services, 'secrets' | 'tokens' | 'log'>;

/**
 * Keeps for a job that is at work the credentials that its copiers need: what the user gave, and a delegation token for each
 * nameservice of a cluster with Kerberos. Gets only those that are missing: safe to run again.
 * @throws SpecError, KerberosError, JobClosedError when the job was closed meanwhile
 */
export async function giveAccess(job: string, spec: JobSpec, services: Keeping, signal: AbortSignal): Promise<void> {
  const { tokens } = services;
  const { sourceAlias, destinationAlias } = locationsOf(spec);
  await using logins = new Logins(services);
  for (const alias of new Set([sourceAlias, destinationAlias])) {
    const definition = await services.secrets.definition(alias);
    if (definition.auth_mechanism === 'NONE') continue;
    if (usesKerberos(definition)) {
      const has = new Set((await tokens.kept(job, alias)).map(({ nameservice }) => nameservice));
      for (const { id } of nameservicesOf(definition)) {
        if (!has.has(id)) await getToken(job, alias, id, await logins.tokenClient(alias), services, signal);
      }
    } else if (!(await tokens.given(job, alias))) {
      const { token, password } = await logins.clusterOf(alias);
      await tokens.give(job, alias, {
        ...(token === undefined ? {} : { token }),
        ...(password === undefined ? {} : { password }),
      });
    }
  }
}

async function getToken(
  job: string,
  alias: string,
  nameservice: string,
  client: TokenClient,
  { tokens }: Keeping,
  signal: AbortSignal,
): Promise<void> {
  const held = await client.get(nameservice, signal);
  if (await tokens.keep(job, alias, held)) return;
  await client.cancel(held, signal);
  throw new JobClosedError(job);
}

/** For how long the cancelling of tokens may hold up the end of a job, ms. */
const CANCEL_MS = 20_000;
const CANCEL_AT_ONCE = 4;

/**
 * Cancels the tokens that were got for a job and deletes its credentials. A token that cannot be cancelled does not keep the job from
 * ending: it expires when nobody renews it.
 */
export async function endAccess(job: string, services: Keeping): Promise<void> {
  const { tokens, log } = services;
  const signal = AbortSignal.timeout(CANCEL_MS);
  await using logins = new Logins(services);
  const limit = pLimit(CANCEL_AT_ONCE);
  await limit.map(await tokens.kept(job), async (kept) => {
    const { cluster, nameservice, renewedUntilMs } = kept;
    try {
      const client = await logins.tokenClient(cluster);
      await client.cancel(await tokens.reveal(job, kept), signal);
    } catch (error) {
      const reason = signal.aborted ? `no answer within ${CANCEL_MS / 1000} s` : messageOf(error);
      const endsBy = new Date(renewedUntilMs).toISOString();
      log.warn({ job, cluster, nameservice, endsBy, error: reason }, 'a delegation token was not cancelled');
    }
  });
  await tokens.forget(job);
}
