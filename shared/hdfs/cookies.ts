/** What is kept of one server at most: a balancer sets few cookies, and small ones. */
const COOKIES = 50;
const COOKIE_LENGTH = 4096;

/**
 * What balancers and gateways want to be sent again, so that all requests come to the same server behind them. Kept for each address by
 * itself and for as long as the process lives; what authenticates (`hadoop.auth`) is left to who asked for it.
 *
 * @see RFC 6265
 */
export class Cookies {
  readonly #kept = new Map<string, Map<string, string>>();

  /** @param base  the address that was asked. @param lines  its Set-Cookie lines */
  keep(base: string, lines: readonly string[]): void {
    if (lines.length === 0) return;
    const kept = this.#kept.get(base) ?? new Map<string, string>();
    this.#kept.set(base, kept);
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';');
      const [, name = '', value = ''] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(pair) ?? [];
      if (name === '' || name === 'hadoop.auth' || pair.length > COOKIE_LENGTH) continue;
      kept.delete(name);
      if (value !== '' && kept.size < COOKIES && !isOver(attributes)) kept.set(name, value);
    }
  }

  /** @param headers  of a request to that address. @returns them with its cookies */
  addTo(base: string, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const kept = [...(this.#kept.get(base) ?? [])].map(([name, value]) => `${name}=${value}`);
    if (kept.length === 0) return headers;
    const { cookie } = headers;
    return { ...headers, cookie: [...(cookie === undefined ? [] : [cookie]), ...kept].join('; ') };
  }
}

/** Whether a cookie's attributes say that it is to be dropped. */
function isOver(attributes: readonly string[]): boolean {
  return attributes.some((attribute) => {
    const [, name = '', value = ''] = /^\s*(max-age|expires)=(.*)$/i.exec(attribute) ?? [];
    if (name === '') return false;
    return name.toLowerCase() === 'max-age' ? Number(value) <= 0 : Date.parse(value) <= Date.now();
  });
}
