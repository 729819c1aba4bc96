/** Where hosts are reached instead of what their names say: patterns in which `*` stands for anything, and hosts. */
export type Addresses = Readonly<Record<string, string>>;

/**
 * The host to look up for a name. The first pattern that matches wins; what its stars stand for takes the place of those of the
 * host, one by one: `ip-*.internal` → `*.example.com`. Names of hosts have no case.
 */
export function addressOf(hostname: string, addresses: Addresses): string {
  for (const [pattern, host] of Object.entries(addresses)) {
    const parts = pattern.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const match = new RegExp(`^${parts.join('(.*)')}$`, 'i').exec(hostname);
    if (!match) continue;
    const stars = match.slice(1);
    return host.replaceAll('*', () => stars.shift() ?? '');
  }
  return hostname;
}
