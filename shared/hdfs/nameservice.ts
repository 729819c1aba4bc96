import { SpecError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { splitUrl } from './urls.ts';
import { isWithin, normalize } from '../storage/path.ts';

/** Whether a cluster was reached before, if only by another process of the same job: addresses that never were are given up sooner. */
export type Contact = 'first' | 'known';

/** The addresses that serve one namespace, and which of them served last. */
export class Nameservice {
  readonly urls: readonly string[];
  readonly mounts: readonly string[];
  #active = 0;
  /** Whether any address has ever answered as Hadoop does. Others are given up sooner: most likely they are wrong. */
  isKnown: boolean;
  /** Whether the server redirects to datanodes, as namenodes do, instead of moving the bytes itself. */
  hasDatanodes = false;

  constructor(urls: readonly string[], mounts: readonly string[], contact: Contact = 'first') {
    this.isKnown = contact === 'known';
    this.urls = urls;
    this.mounts = mounts.map(normalize);
  }

  /** A path that the nameservice serves: tells it from the others of its cluster, also in another process. */
  get id(): string {
    return this.mounts[0] ?? '/';
  }

  /** The address that answered last. */
  get url(): string {
    return this.urls[this.#active] ?? '';
  }

  /** The addresses in one spelling: host names have no case, and may end in a dot. */
  get addresses(): readonly string[] {
    return this.urls.map((url) => {
      const { origin, path } = splitUrl(url);
      return new URL(origin).origin.replace(/\.(?=:\d+$|$)/, '') + path;
    });
  }

  /** Turns to the next address, unless another request has already turned away from `from`. */
  failOver(from: string): void {
    if (this.url === from) this.#active = (this.#active + 1) % this.urls.length;
  }
}

export function nameservicesOf(cluster: Cluster, contact: Contact = 'first'): Nameservice[] {
  return cluster.nameservices.map(({ urls, mounts }) => new Nameservice(urls, mounts, contact));
}

/** The nameservice whose mount is the longest prefix of the path. */
export function nameserviceFor(path: string, nameservices: readonly Nameservice[], cluster: string): Nameservice {
  let best: { length: number; nameservice: Nameservice } | undefined;
  for (const nameservice of nameservices) {
    for (const mount of nameservice.mounts) {
      if (isWithin(path, mount) && mount.length > (best?.length ?? -1)) best = { length: mount.length, nameservice };
    }
  }
  if (best) return best.nameservice;
  throw new SpecError(
    `cluster ${cluster}: no nameservice has a mount for ${path}`,
    'add the mount to the configuration',
  );
}
