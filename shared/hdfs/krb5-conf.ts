/**
 * What a krb5.conf says of each realm: realm → its settings, one a line, sorted, without comments.
 * @see krb5.conf(5), "[realms]"
 */
export function realmsOf(text: string): Map<string, string> {
  const realms = new Map<string, string[]>();
  let section = '';
  let realm: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[(\w+)\]/.exec(line)?.[1];
    if (header !== undefined) [section, realm] = [header, undefined];
    if (section !== 'realms' || header !== undefined) continue;
    const opened = /^(\S+)\s*=\s*\{/.exec(line)?.[1];
    if (opened !== undefined && realm === undefined) {
      realm = opened;
      realms.set(realm, realms.get(realm) ?? []);
    } else if (line.startsWith('}')) realm = undefined;
    else if (realm !== undefined) realms.get(realm)?.push(line.replace(/\s*=\s*/, ' = '));
  }
  return new Map([...realms].map(([name, lines]) => [name, lines.sort().join('\n')]));
}
