// A private certificate authority of a bed, and the server certificates that it signs.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePrograms, systemProgram } from './packages.ts';
import type { Properties } from './site.ts';
import { runProgram } from './tools.ts';

export interface Authority {
  /** Its certificate, as PEM: what a client has to trust. */
  ca: string;
  directory: string;
}

export interface ServerCertificate {
  certificate: string;
  key: string;
  /** Both, for a JVM. */
  keystore: string;
}

/** Protects nothing but a file that lives as long as its bed. */
const keystorePassword = 'changeit';
const days = '30';

const openssl = async (...args: string[]): Promise<void> => {
  const { code, stderr } = await runProgram(systemProgram('openssl'), args);
  if (code !== 0) throw new Error(`openssl ${args[0]} ended with ${code}: ${stderr.slice(-2000)}`);
};

const newKey = ['-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', days];

export const makeAuthority = async (directory: string): Promise<Authority> => {
  await requirePrograms(['openssl']);
  await mkdir(directory, { recursive: true });
  const ca = join(directory, 'ca.pem');
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  const args = ['-subj', '/CN=hdfs-fanout test bed', '-keyout', join(directory, 'ca.key'), '-out', ca];
  await openssl('req', '-x509', ...newKey, ...args, ...extensions.flatMap((of) => ['-addext', of]));
  return { ca, directory };
};

/**
 * A certificate for a server, or for a client. For localhost it is good for 127.0.0.1 too.
 * @param name  the host it is for; another than localhost makes one that clients of localhost must refuse
 */
export const issueCertificate = async (
  { ca, directory }: Authority,
  file: string,
  name: string,
): Promise<ServerCertificate> => {
  const path = (ending: string): string => join(directory, `${file}.${ending}`);
  const [certificate, key, keystore] = [path('pem'), path('key'), path('p12')];
  const names = name === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${name}`;
  await writeFile(
    path('ext'),
    `subjectAltName=${names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  await openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', path('csr'));
  const sign = ['-req', '-sha256', '-days', days, '-in', path('csr'), '-CA', ca, '-CAkey', join(directory, 'ca.key')];
  await openssl('x509', ...sign, '-CAcreateserial', '-extfile', path('ext'), '-out', certificate);
  const pack = ['-export', '-in', certificate, '-inkey', key, '-certfile', ca, '-name', 'server', '-out', keystore];
  await openssl('pkcs12', ...pack, '-passout', `pass:${keystorePassword}`);
  return { certificate, key, keystore };
};

/** ssl-server.xml of a daemon. */
export const sslServerSettings = ({ keystore }: ServerCertificate): Properties => ({
  'ssl.server.keystore.location': keystore,
  'ssl.server.keystore.type': 'PKCS12',
  'ssl.server.keystore.password': keystorePassword,
  'ssl.server.keystore.keypassword': keystorePassword,
});
