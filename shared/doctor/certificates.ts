import { X509Certificate } from 'node:crypto';
import { tlsFailureOf } from '../hdfs/tls-failure.ts';
import type { Context } from './context.ts';
import { failed, type Finding, ok, skipped, warning } from './row.ts';
import { type Handshake, tryTls } from './sockets.ts';

const DAY_MS = 24 * 3600 * 1000;
const SOON_DAYS = 30;

/** Whether every https server proves that it is the host of its URL, and for how long it and our own certificate can. */
export async function certificates(context: Context): Promise<void> {
  const { cluster } = context.examination;
  await context.eachEndpoint('TLS', ['connection'], async (endpoint) => {
    if (endpoint.secure) {
      const handshake = await tryTls(endpoint, context.connector);
      const finding = certificateFinding(handshake, cluster.verify, Date.now());
      return context.tls.cert === undefined ? finding : withOurs(finding, context.tls.cert, Date.now());
    }
    if (cluster.auth_mechanism === 'NONE') return skipped('the URL is http');
    return warning('the URL is http: credentials and data go in the clear', 'use the https address of the server');
  });
}

/** @param verify  as in the cluster's definition */
export function certificateFinding(
  { protocol, refusal, certificate }: Handshake,
  verify: boolean,
  nowMs: number,
): Finding {
  if (refusal !== undefined) {
    const failure = tlsFailureOf(refusal, Object.assign(new Error(refusal), { cert: certificate }));
    const found = `${failure?.reason ?? refusal}${detailOf(refusal, certificate)}`;
    if (verify) return failed(found, failure?.remedy);
    return warning(`${protocol}, unverified: ${found}`, 'set verify to true, with a truststore if needed');
  }
  const days = daysUntil(certificate.valid_to, nowMs);
  const found = `${protocol}, certificate of ${nameOf(certificate.subject.CN)} for ${days} more days`;
  return days < SOON_DAYS ? warning(found, 'renew the certificate of the server before it expires') : ok(found);
}

function withOurs(finding: Finding, pem: string, nowMs: number): Finding {
  const days = daysUntil(new X509Certificate(pem).validTo, nowMs);
  if (finding.state === 'failed') return finding;
  if (days < 0) return failed(`our client certificate expired ${-days} days ago`, 'get a new one: certificate and key');
  const found = `${finding.found}; our own for ${days}`;
  return days < SOON_DAYS ? warning(found, 'renew our client certificate before it expires') : { ...finding, found };
}

function daysUntil(date: string, nowMs: number): number {
  return Math.floor((Date.parse(date) - nowMs) / DAY_MS);
}

function detailOf(refusal: string, certificate: Handshake['certificate']): string {
  if (refusal === 'ERR_TLS_CERT_ALTNAME_INVALID') return '';
  if (refusal === 'CERT_HAS_EXPIRED') return ` on ${new Date(certificate.valid_to).toISOString().slice(0, 10)}`;
  return `: ${nameOf(certificate.issuer.CN)}`;
}

/** The common names of a certificate, which may have several. */
function nameOf(commonName: string | string[] | undefined): string {
  return [commonName ?? 'an unnamed authority'].flat().join(', ');
}
