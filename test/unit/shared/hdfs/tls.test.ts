import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clusterSchema } from '../../../../shared/hdfs/cluster.ts';
import { tlsOptions } from '../../../../shared/hdfs/tls.ts';

const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-tls-'));
afterAll(() => rmSync(directory, { recursive: true }));

const options = (changes: Record<string, unknown>) =>
  tlsOptions(
    clusterSchema.parse({ name: 'prod', nameservices: [{ urls: ['https://nn1'], mounts: ['/'] }], ...changes }),
  );

function truststore(content: string | Buffer): string {
  const file = join(directory, 'truststore');
  writeFileSync(file, content);
  return file;
}

describe('tlsOptions', () => {
  it('verifies certificates unless told otherwise', () => {
    expect(options({})).toEqual({ rejectUnauthorized: true });
    expect(options({ verify: false })).toEqual({ rejectUnauthorized: false });
  });

  it('takes a truststore of PEM certificates, with text around them', () => {
    const pem = '# our authority\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    expect(options({ truststore: truststore(pem) })).toEqual({ rejectUnauthorized: true, ca: pem });
  });

  it.each([
    ['JKS', Buffer.from('feedfeed00000002', 'hex')],
    ['PKCS12', Buffer.from('308209a302010330', 'hex')],
  ])('says how to convert a %s keystore', (kind, content) => {
    const file = truststore(content);
    const converting = `keytool -list -rfc -keystore ${file} -storetype ${kind} > ${file}.pem`;
    expect(() => options({ truststore: file })).toThrow(`cluster prod: its truststore ${file} is a ${kind} keystore`);
    expect(() => options({ truststore: file })).toThrow(converting);
  });

  it.each([
    ['text', 'hello'],
    ['nothing', ''],
  ])('refuses a truststore that holds %s', (_what, content) => {
    expect(() => options({ truststore: truststore(content) })).toThrow(/is not PEM \(name a PEM file\)/);
  });

  it('names a truststore that cannot be read', () => {
    expect(() => options({ truststore: join(directory, 'missing.pem') })).toThrow(
      /cannot read its truststore .*missing\.pem: ENOENT/,
    );
  });
});
