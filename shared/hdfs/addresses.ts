/**
 * Patterns of hosts, in which `*` stands for anything, and the hosts to connect to instead. Either may have a port:
 * `"dn-*": "gate.example.com:31234"`, `"172.18.0.3:9864": "192.0.2.7:31001"`. IPv6 addresses with a port stand in brackets.
 */
export type Addresses = Readonly<Record<string, string>>;

export interface HostPort {
  /** A name or an IP address, without the brackets of IPv6. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * The address to connect to in place of a URL's. The first pattern that matches wins; what its stars stand for replaces those of the
 * host, one by one: `ip-*.internal` → `*.example.com`. Names of hosts have no case. The port stays where the host names none.
 */
export function addressOf(server: HostPort, addresses: Addresses): HostPort {
  for (const [pattern, target] of Object.entries(addresses)) {
    const parts = splitPort(pattern);
    if (parts.port !== undefined && parts.port !== server.port) continue;
    const literals = parts.hostname.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const match = new RegExp(`^${literals.join('(.*)')}$`, 'i').exec(server.hostname);
    if (!match) continue;
    const stars = match.slice(1);
    const { hostname, port = server.port } = splitPort(target);
    return { hostname: hostname.replaceAll('*', () => stars.shift() ?? ''), port };
  }
  return server;
}

/** The host and port of an http or https URL: its scheme's own port where the URL names none. */
export function hostPortOf(url: string): HostPort {
  const { protocol, hostname, port } = new URL(url);
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

/** Splits `host`, `host:port`, `[v6]` and `[v6]:port`; what has several colons and no brackets is an IPv6 address alone. */
export function splitPort(text: string): { readonly hostname: string; readonly port: number | undefined } {
  const [, v6, name, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { hostname: v6 ?? name ?? text, port: port === undefined ? undefined : Number(port) };
}
