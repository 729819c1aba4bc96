import pLimit from 'p-limit';
import { messageOf } from '../errors.ts';
import { prolong, type TokenClient } from '../hdfs/delegation-tokens.ts';
import { type KeptToken, newest } from './job-tokens.ts';
import type { Services } from './services.ts';

export interface Renewed {
  /** Tokens that were renewed. */
  readonly renewed: number;
  /** Tokens that were replaced, since their maximum lifetime is near or the cluster does not know them. */
  readonly replaced: number;
  /** Tokens that could be neither renewed nor replaced. */
  readonly failed: number;
}

interface Stores {
  readonly active: Pick<Services['active'], 'list'>;
  readonly tokens: Pick<Services['tokens'], 'kept' | 'reveal' | 'keep' | 'setRenewedUntil'>;
  readonly log: Services['log'];
}

type Tokens = Pick<TokenClient, 'get' | 'renew' | 'cancel'>;

const AT_ONCE = 8;

/**
 * Keeps the tokens of all jobs at work alive: a token that would end before the round after the next is renewed, or replaced when
 * renewing does not help.
 * Copiers find a replacement when the old one is refused. A failure is logged, and holds up no other token.
 *
 * @param clientOf  logs in to a cluster
 * @param periodMs  time between two rounds
 */
export async function renewStep(
  { active, tokens, log }: Stores,
  clientOf: (cluster: string) => Promise<Tokens>,
  periodMs: number,
  signal: AbortSignal,
  now = Date.now,
): Promise<Renewed> {
  const count = { renewed: 0, replaced: 0, failed: 0 };
  const endsSoon = ({ renewedUntilMs }: { readonly renewedUntilMs: number }) => renewedUntilMs - now() < 2 * periodMs;

  const renew = async (job: string, kept: KeptToken): Promise<void> => {
    const { cluster, nameservice } = kept;
    const client = await clientOf(cluster);
    const held = await tokens.reveal(job, kept);
    let prolonged = await prolong(held, client, signal);
    if (prolonged.token === held.token) {
      await tokens.setRenewedUntil(job, kept, prolonged.renewedUntilMs);
      if (!endsSoon(prolonged)) {
        count.renewed += 1;
        return;
      }
      prolonged = await client.get(nameservice, signal);
    }
    // The replaced token is cancelled with the job's end: requests under way carry it.
    if (await tokens.keep(job, cluster, prolonged, now())) count.replaced += 1;
    else await client.cancel(prolonged, signal);
  };

  const due: { readonly job: string; readonly kept: KeptToken }[] = [];
  for (const { job } of await active.list()) {
    for (const kept of newest(await tokens.kept(job))) if (endsSoon(kept)) due.push({ job, kept });
  }
  await pLimit(AT_ONCE).map(due, async ({ job, kept }) => {
    try {
      await renew(job, kept);
    } catch (error) {
      count.failed += 1;
      const { cluster, nameservice, renewedUntilMs } = kept;
      const endsAt = new Date(renewedUntilMs).toISOString();
      log.error({ job, cluster, nameservice, endsAt, error: messageOf(error) }, 'a delegation token was not renewed');
    }
  });
  return count;
}
