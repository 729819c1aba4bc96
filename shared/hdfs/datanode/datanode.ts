import type { Where } from '../../errors.ts';
import type { Near } from '../../storage/capabilities.ts';
import { splitUrl } from '../urls.ts';

/** The datanode that a namenode redirected to. Its URL carries credentials and stays private. */
export class Datanode implements Near {
  readonly host: string;
  readonly #url: string;

  /** @throws TransportError when it is no URL */
  constructor(url: string, where: Where) {
    this.#url = url;
    this.host = splitUrl(url, where).host;
  }

  get url(): string {
    return this.#url;
  }

  /** The same datanode asked for the same path's checksum: saves the namenode's redirect. Any datanode can answer. */
  get checksumUrl(): string {
    const [path, query] = [this.#url.split('?')[0] ?? '', this.#url.slice(this.#url.indexOf('?') + 1)];
    const kept = query.split('&').filter((part) => /^(?:user\.name|doas|delegation|namenoderpcaddress)=/.test(part));
    return `${path}?${['op=GETFILECHECKSUM', ...kept].join('&')}`;
  }
}
