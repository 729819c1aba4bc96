/** Why two sides could not agree on TLS, and what to do about it. */
export interface TlsFailure {
  readonly reason: string;
  readonly remedy: string;
}

const TRUST = 'name the authority’s PEM file as truststore in the cluster configuration';
const RENEW = 'the cluster needs a new certificate';
const CLIENT = 'name certificate and key in the cluster configuration';
const untrusted: TlsFailure = {
  reason: 'its TLS certificate comes from an authority that is not trusted',
  remedy: TRUST,
};

/** Failures by the codes of OpenSSL and Node. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const failures: Readonly<Record<string, TlsFailure>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: 'its TLS certificate is self-signed', remedy: TRUST },
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: { reason: 'its TLS certificate has expired', remedy: RENEW },
  CERT_NOT_YET_VALID: { reason: 'its TLS certificate is not valid yet', remedy: 'check the clock of this machine' },
  CERT_REVOKED: { reason: 'its TLS certificate was revoked', remedy: RENEW },
  ERR_SSL_WRONG_VERSION_NUMBER: { reason: 'it does not speak TLS', remedy: 'check the port, or use an http:// URL' },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { reason: 'it does not speak TLS', remedy: 'check the port, or use an http:// URL' },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: { reason: 'it wants a client certificate', remedy: CLIENT },
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: { reason: 'it does not accept the client certificate', remedy: CLIENT },
  ERR_SSL_SSL_TLS_ALERT_BAD_CERTIFICATE: { reason: 'it does not accept the client certificate', remedy: CLIENT },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: {
    reason: 'it does not know the authority of the client certificate',
    remedy: CLIENT,
  },
};

/** What an error says about TLS. @param code  of the error or of its cause. @returns undefined for what is no failure of TLS */
export function tlsFailureOf(code: string, error: unknown): TlsFailure | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      reason: `its TLS certificate is for another host name${namesOf(error)}`,
      remedy: 'use the name that the certificate is for; datanode_addresses can say where it is',
    };
  }
  return failures[code];
}

/** The names in the certificate. @see https://nodejs.org/api/tls.html#tlscheckserveridentityhostname-cert */
function namesOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { cert } = error as { cert?: { subjectaltname?: string; subject?: { CN?: string } } };
  if (!cert) return namesOf(error.cause);
  const names = cert.subjectaltname?.replaceAll(/(?:DNS|IP Address):/g, '') ?? cert.subject?.CN ?? '';
  return names ? `: ${names}` : '';
}
