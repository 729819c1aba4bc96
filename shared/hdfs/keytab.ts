import { SpecError } from '../errors.ts';

/** Every keytab that MIT and Java write begins so. @see https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html */
const VERSION = 0x0502;

/** Joins keytabs: after two bytes of version a keytab is a sequence of entries. @throws SpecError when one is no keytab */
export function mergeKeytabs(keytabs: readonly Buffer[]): Buffer {
  const entries = keytabs.map((keytab) => {
    if (keytab.length > 2 && keytab.readUInt16BE(0) === VERSION) return keytab.subarray(2);
    throw new SpecError('a file that is named as keytab is none', 'make one with ktutil, or ask for one');
  });
  return Buffer.concat([Buffer.from([VERSION >> 8, VERSION & 0xff]), ...entries]);
}
