import { readFileSync } from 'node:fs';
import { messageOf, SpecError } from '../errors.ts';
import type { Cluster } from './cluster.ts';

const PEM = '-----BEGIN CERTIFICATE-----';

export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
}

/** @throws SpecError when the truststore cannot be read or is not PEM; it says how to convert a Java keystore */
export function tlsOptions(cluster: Cluster): TlsOptions {
  if (cluster.truststore === undefined) return { rejectUnauthorized: cluster.verify };
  return { rejectUnauthorized: cluster.verify, ca: readPem(cluster.truststore, cluster.name) };
}

/** @param file  or the PEM text itself, as a definition has it that left its machine */
export function readPem(file: string, cluster: string): Buffer {
  if (file.includes(PEM)) return Buffer.from(file);
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new SpecError(
      `cluster ${cluster}: cannot read the truststore ${file}: ${messageOf(error)}`,
      undefined,
      error,
    );
  }
  if (content.includes(PEM)) return content;
  const kind = keystoreKind(content);
  throw new SpecError(
    `cluster ${cluster}: the truststore ${file} is ${kind ? `a ${kind} keystore` : 'not PEM'}`,
    kind
      ? `convert it: keytool -list -rfc -keystore ${file} -storetype ${kind} > ${file}.pem`
      : 'name a file of PEM certificates',
  );
}

/** JKS begins with FEEDFEED; PKCS12 is a DER sequence. @see java.security.KeyStore formats, RFC 7292 */
function keystoreKind(content: Buffer): 'JKS' | 'PKCS12' | undefined {
  if (content.length >= 4 && content.readUInt32BE(0) === 0xfeedfeed) return 'JKS';
  return content[0] === 0x30 && (content[1] ?? 0) >= 0x80 ? 'PKCS12' : undefined;
}
