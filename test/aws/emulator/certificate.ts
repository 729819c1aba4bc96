// A certificate for the loopback interface, made here so that no openssl is needed.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Tag, length, value: https://www.itu.int/rec/T-REC-X.690 */
const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
};

const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const octets = (value: Uint8Array): Buffer => der(0x04, value);
const yes = der(0x01, Buffer.from([0xff]));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const commonName = oid('550403');
const subjectAltName = oid('551d11');
const basicConstraints = oid('551d13');

const utcTime = (atMs: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(atMs).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));

const name = (text: string): Buffer => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))));

const pem = (label: string, content: Buffer): string =>
  `-----BEGIN ${label}-----\n${content.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

const dayMs = 86_400_000;

/** Signed by itself, for 127.0.0.1 and localhost, good for a week. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
const makeCertificate = (): { certificate: string; key: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const who = name('hdfs-fanout test emulator');
  const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = sequence(
    sequence(subjectAltName, octets(names)),
    sequence(basicConstraints, yes, octets(sequence(yes))),
  );
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1]), randomBytes(8)), // serial number
    ecdsaWithSha256,
    who,
    sequence(utcTime(Date.now() - dayMs), utcTime(Date.now() + 7 * dayMs)),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = sign('sha256', content, privateKey);
  const certificate = sequence(content, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};

/** @returns the paths of both files */
export const writeCertificate = async (dir: string): Promise<{ certificate: string; key: string }> => {
  const made = makeCertificate();
  const paths = { certificate: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  await writeFile(paths.certificate, made.certificate);
  await writeFile(paths.key, made.key);
  await chmod(paths.key, 0o600);
  return paths;
};
