import { offered } from '../storage/offered.ts';
import { FanoutError } from '../errors.ts';
import { type Guarded, setAccess, type WantedAccess } from './access.ts';
import type { Attribute } from './attributes.ts';
import type { Loss } from './losses.ts';

/** What a path is to have. What is undefined is left as it is. */
export interface Wanted extends WantedAccess {
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly replication?: number | undefined;
  readonly modifiedAtMs?: number | undefined;
  readonly accessedAtMs?: number | undefined;
  /** Extended attributes; the path then has these and no others. */
  readonly xattrs?: (() => Promise<ReadonlyMap<string, string>>) | undefined;
}

export interface Settled {
  readonly losses: readonly Loss[];
  /** Whether anything was set. */
  readonly changed: boolean;
}

/**
 * Sets attributes, each for itself and only those that differ: extended attributes, owner and group, ACL and mode, replication,
 * times, in the order in which one does not undo another. What cannot be kept leaves fewer rights and never more.
 *
 * @param strict  throw at the first attribute that cannot be set
 */
export async function preserve(
  wanted: Wanted,
  guarded: Guarded,
  strict: boolean,
  signal: AbortSignal,
): Promise<Settled> {
  return new Preservation(wanted, guarded, strict, signal).run();
}

class Preservation {
  readonly #wanted: Wanted;
  readonly #guarded: Guarded;
  readonly #strict: boolean;
  readonly #signal: AbortSignal;
  readonly #losses = new Map<Attribute, FanoutError>();
  #changed = false;

  constructor(wanted: Wanted, guarded: Guarded, strict: boolean, signal: AbortSignal) {
    this.#wanted = wanted;
    this.#guarded = guarded;
    this.#strict = strict;
    this.#signal = signal;
  }

  async run(): Promise<Settled> {
    const { xattrs } = this.#wanted;
    if (xattrs) await this.#try('xattr', async () => this.#setXattrs(await xattrs()));
    await this.#setOwnership();
    await this.#setAccess();
    await this.#setReplication();
    await this.#setTimes();
    return { losses: [...this.#losses].map(([attribute, error]) => ({ attribute, error })), changed: this.#changed };
  }

  async #setXattrs(wanted: ReadonlyMap<string, string>): Promise<void> {
    const { storage, path, isNew } = this.#guarded;
    const hadoop = offered(storage, 'hadoop', path);
    const there = isNew ? new Map<string, string>() : await hadoop.xattrs(path, this.#signal);
    // One that is refused leaves the others.
    for (const [name, value] of wanted) {
      if (there.get(name) !== value) await this.#set('xattr', () => hadoop.setXattr(path, name, value, this.#signal));
    }
    for (const name of there.keys()) {
      if (!wanted.has(name)) await this.#set('xattr', () => hadoop.removeXattr(path, name, this.#signal));
    }
  }

  async #setOwnership(): Promise<void> {
    const { storage, path, present } = this.#guarded;
    const owner = differing(this.#wanted.owner, present.owner);
    const group = differing(this.#wanted.group, present.group);
    if (owner === undefined && group === undefined) return;
    try {
      const refused = await offered(storage, 'hadoop', path).setOwner(path, owner, group, this.#signal);
      for (const { attribute, error } of refused) this.#lose(attribute, error);
      const asked = [owner, group].filter((name) => name !== undefined).length;
      if (refused.length < asked) this.#changed = true;
    } catch (error) {
      if (owner !== undefined) this.#loseTo('owner', error);
      if (group !== undefined) this.#loseTo('group', error);
    }
  }

  async #setAccess(): Promise<void> {
    const lost = { owner: this.#losses.get('owner'), group: this.#losses.get('group') };
    const report = (attribute: Attribute, error: FanoutError) => this.#lose(attribute, error);
    await this.#try('permission', async () => {
      if (await setAccess(this.#wanted, this.#guarded, lost, report, this.#signal)) this.#changed = true;
    });
  }

  async #setReplication(): Promise<void> {
    const { storage, path, kind, present } = this.#guarded;
    const replication = differing(this.#wanted.replication, present.replication);
    // 0 stands for erasure coding and for storages that have no replicas.
    if (kind === 'directory' || !replication || !present.replication) return;
    await this.#set('replication', () =>
      offered(storage, 'hadoop', path).setReplication(path, replication, this.#signal),
    );
  }

  async #setTimes(): Promise<void> {
    const { storage, path, present } = this.#guarded;
    const { modifiedAtMs, accessedAtMs } = this.#wanted;
    if (modifiedAtMs === undefined) return;
    if (modifiedAtMs === present.modifiedAtMs && accessedAtMs === undefined) return;
    await this.#set('times', async () => {
      const refused = await offered(storage, 'posix', path).setTimes(path, modifiedAtMs, accessedAtMs, this.#signal);
      if (refused) this.#lose('times', refused);
    });
  }

  async #set(attribute: Attribute, step: () => Promise<void>): Promise<void> {
    await this.#try(attribute, async () => {
      await step();
      this.#changed = true;
    });
  }

  async #try(attribute: Attribute, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#loseTo(attribute, error);
    }
  }

  #loseTo(attribute: Attribute, error: unknown): void {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    this.#lose(attribute, error);
  }

  #lose(attribute: Attribute, error: FanoutError): void {
    if (this.#strict) throw error;
    if (!this.#losses.has(attribute)) this.#losses.set(attribute, error);
  }
}

function differing<T>(wanted: T | undefined, present: T | undefined): T | undefined {
  return wanted === present ? undefined : wanted;
}
