/**
 * A name that is taken, with the time behind it as Hadoop's trash writes it. Where the two are longer than a name may be the end of the name
 * makes room, at the border of a character.
 *
 * @see Hadoop TrashPolicyDefault.moveToTrash, which does not shorten
 */
export function timedName(name: string, atMs: number, mostBytes: number): string {
  const time = String(atMs);
  let kept = '';
  for (const character of name) {
    if (Buffer.byteLength(kept + character) + time.length > mostBytes) break;
    kept += character;
  }
  return kept + time;
}
