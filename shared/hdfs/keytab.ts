/** Every keytab that MIT and Java write begins so. @see https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html */
const VERSION = 0x0502;

export function isKeytab(content: Buffer): boolean {
  return content.length > 2 && content.readUInt16BE(0) === VERSION;
}

/** Joins keytabs: after two bytes of version a keytab is a sequence of entries. */
export function mergeKeytabs(keytabs: readonly Buffer[]): Buffer {
  const entries = keytabs.map((keytab) => keytab.subarray(2));
  return Buffer.concat([Buffer.from([VERSION >> 8, VERSION & 0xff]), ...entries]);
}
