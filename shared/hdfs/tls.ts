import { SpecError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { readNamedFile } from './named-file.ts';

export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Fields of a cluster's definition that hold PEM, or name a file with it. */
const pemFields = ['truststore', 'certificate', 'key'] as const;

type Pem = { readonly [field in (typeof pemFields)[number]]?: string };

/** @throws SpecError when a file cannot be read or is not PEM; it says how to convert a Java keystore */
export function tlsOptions(cluster: Cluster): TlsOptions {
  const { truststore: ca, certificate: cert, key } = pemOf(cluster);
  return {
    rejectUnauthorized: cluster.verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The PEM text of each of these fields, read where it names a file: with texts a definition holds on any machine. @throws SpecError */
export function pemOf(cluster: Cluster): Pem {
  const fields = pemFields.flatMap((field) => {
    const value = cluster[field];
    return value === undefined ? [] : [[field, readPem(cluster.name, field, value)]];
  });
  return Object.fromEntries(fields) as Pem;
}

function readPem(name: string, field: keyof Pem, value: string): string {
  if (isPem(value)) return value;
  const content = readNamedFile(name, field, value);
  if (isPem(content)) return content.toString();
  const kind = keystoreKind(content);
  const remedy =
    field === 'truststore'
      ? `keytool -list -rfc -keystore ${value} -storetype ${kind ?? ''} > ${value}.pem`
      : `openssl pkcs12 -in ${value} -nodes -out ${value}.pem (a JKS becomes PKCS12 by keytool -importkeystore)`;
  throw new SpecError(
    `cluster ${name}: its ${field} ${value} is ${kind ? `a ${kind} keystore` : 'not PEM'}`,
    kind ? `convert it: ${remedy}` : 'name a PEM file',
  );
}

function isPem(content: string | Buffer): boolean {
  return content.includes('-----BEGIN ');
}

/** JKS begins with FEEDFEED; PKCS12 is a DER sequence. @see java.security.KeyStore formats, RFC 7292 */
function keystoreKind(content: Buffer): 'JKS' | 'PKCS12' | undefined {
  if (content.length >= 4 && content.readUInt32BE(0) === 0xfeedfeed) return 'JKS';
  return content[0] === 0x30 && (content[1] ?? 0) >= 0x80 ? 'PKCS12' : undefined;
}
