import { SpecError } from '../errors.ts';
import { readNamedFile } from './named-file.ts';

/** Every keytab that MIT and Java write begins so. @see https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html */
const VERSION = 0x0502;

/** @throws SpecError when the file cannot be read or is no keytab */
export function readKeytab(cluster: string, file: string): Buffer {
  const content = readNamedFile(cluster, 'keytab', file);
  if (content.length > 2 && content.readUInt16BE(0) === VERSION) return content;
  throw new SpecError(`cluster ${cluster}: its keytab ${file} is no keytab`, 'ask for one, or make it with ktutil');
}

/** Joins keytabs: after two bytes of version a keytab is a sequence of entries. */
export function mergeKeytabs(keytabs: readonly Buffer[]): Buffer {
  const entries = keytabs.map((keytab) => keytab.subarray(2));
  return Buffer.concat([Buffer.from([VERSION >> 8, VERSION & 0xff]), ...entries]);
}
