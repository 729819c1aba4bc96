import type { Context } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { type Finding, failed, ok, skipped, warning } from './row.ts';

const NOTABLE_S = 60;
/** Kerberos refuses what is further away: krb5.conf, clockskew. */
const KERBEROS_S = 300;
export const CLOCK_REMEDY = 'set both clocks by NTP (chronyc tracking)';

/** How far every server's clock is from ours, by the Date of its answers. */
export async function clock(context: Context): Promise<void> {
  const { auth_mechanism: mechanism } = context.examination.cluster;
  await context.eachEndpoint('clock', ['TLS'], async (endpoint) => {
    const ahead = await secondsAhead(endpoint, context.signal);
    if (ahead === undefined) return skipped('its answers have no Date');
    return clockFinding(ahead, mechanism.endsWith('GSSAPI') || endpoint.kerberos);
  });
}

export function clockFinding(ahead: number, kerberos: boolean): Finding {
  const apart = Math.abs(ahead);
  if (apart <= NOTABLE_S) return ok(`${Math.round(apart)} s from ours`);
  const found = `its clock is ${Math.round(apart)} s ${ahead > 0 ? 'ahead of' : 'behind'} ours`;
  if (kerberos && apart > KERBEROS_S) return failed(`${found}, and Kerberos allows ${KERBEROS_S} s`, CLOCK_REMEDY);
  return warning(found, CLOCK_REMEDY);
}

/** How far the server's clock is ahead. Where refusals have no Date, as in front of Kerberos, it is asked for with a ticket. */
async function secondsAhead(endpoint: Endpoint, signal: AbortSignal): Promise<number | undefined> {
  const ahead = await aheadBy(async () => {
    const answer = await endpoint.knock('/webhdfs/v1/?op=GETHOMEDIRECTORY', signal);
    endpoint.kerberos ||= /\bnegotiate\b/i.test(answer.challenge ?? '');
    return answer;
  });
  if (ahead !== undefined || endpoint.missing.has('authentication')) return ahead;
  return aheadBy(() => endpoint.ask('GET', 'GETHOMEDIRECTORY', '/', {}, signal));
}

/** A Date has whole seconds: its middle is compared with the middle of the request. */
async function aheadBy(answering: () => Promise<{ readonly date: string | undefined }>): Promise<number | undefined> {
  const askedAtMs = Date.now();
  const { date = '' } = await answering();
  const answeredAtMs = Date.now();
  // A namenode sends two, and proxies make them one.
  const [first = ''] = /\w+, \d+ \w+ \d+ [\d:]+ GMT/.exec(date) ?? [];
  const theirsMs = Date.parse(first);
  return Number.isNaN(theirsMs) ? undefined : (theirsMs + 500 - (askedAtMs + answeredAtMs) / 2) / 1000;
}
