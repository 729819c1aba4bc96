import type { NameRules } from '../storage/capabilities.ts';
import { parentOf } from '../storage/path.ts';
import type { Mounts } from './mounts.ts';
import { askedNameBytes, quotedNameBytes } from './name-limits.ts';
import { unreadableInHdfs, unwritableInHdfs } from './names.ts';
import type { NamenodeRest } from './rest.ts';

/** Which names HDFS takes, and how long each nameservice of a cluster lets them be. */
export class HdfsNames implements NameRules {
  readonly #rest: NamenodeRest;
  readonly #mounts: Mounts;
  /** Bytes that a name may have, by nameservice, as far as that was asked or quoted. */
  readonly #nameBytes = new Map<string, number>();

  constructor(rest: NamenodeRest, mounts: Mounts) {
    this.#rest = rest;
    this.#mounts = mounts;
  }

  unreadable(path: string): string | undefined {
    return unreadableInHdfs(path);
  }

  unwritable(path: string): string | undefined {
    const [served = path] = this.#mounts.servedWithin(path);
    return unwritableInHdfs(path, this.#nameBytes.get(this.#rest.keyOf(served)) ?? Infinity);
  }

  async learn(path: string, signal: AbortSignal): Promise<void> {
    for (const served of this.#mounts.servedWithin(path)) {
      const key = this.#rest.keyOf(served);
      if (this.#nameBytes.has(key)) continue;
      const parent = parentOf(served);
      const directories = this.#mounts.serves(parent) && this.#rest.keyOf(parent) === key ? [served, parent] : [served];
      let bytes: number | undefined;
      for (const directory of directories) bytes ??= await askedNameBytes(this.#rest, directory, signal);
      // Where it is not told, the first name that is refused tells it.
      if (bytes !== undefined) this.#nameBytes.set(key, bytes);
    }
  }

  /** Keeps the limit that the refusal of a new name quotes, if it does. */
  learnFrom(refusal: string, newPath: string): void {
    const limit = quotedNameBytes(refusal);
    if (limit !== undefined) this.#nameBytes.set(this.#rest.keyOf(newPath), limit);
  }
}
