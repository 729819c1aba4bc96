/** The namenode's order of names, by the book: UTF-8 bytes compared as Java compares bytes, which are signed. */
export function compareSignedBytes(a: string, b: string): number {
  const [x, y] = [new Int8Array(Buffer.from(a)), new Int8Array(Buffer.from(b))];
  for (const [index, byte] of x.entries()) {
    const other = y[index];
    if (other === undefined) return 1;
    if (byte !== other) return byte - other;
  }
  return x.length - y.length;
}
