import { FanoutError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import { join } from '../storage/path.ts';
import { chosenAttributes } from '../preserve/attributes.ts';
import type { JobOptions } from '../job/spec.ts';
import type { SourceEntry } from './entry.ts';
import { type Inherited, inheritedFrom } from './inherited.ts';
import { atRoot } from './root-error.ts';

/** Directories made at once. Siblings need not wait for each other. */
const AT_ONCE = 8;
/** Closed to others until their own permission is set, at the very end. */
const CLOSED = '700';

/** Where directories are made, and how. */
export interface Making {
  readonly storage: Storage;
  /** The destination of the root. */
  readonly root: string;
  readonly options: JobOptions;
  /** False for a dry run: nothing is made. */
  readonly makes: boolean;
  /** Whether a directory below the root is made only once something is to be written into it. */
  readonly isOptional: (path: string) => boolean;
  readonly signal: AbortSignal;
  /** Told of each directory below the root that could not be made. */
  readonly onFailed: (directory: SourceEntry, error: FanoutError) => Promise<void>;
}

interface Open {
  /** What new files in the directory get from it; shared by all that only pass on what they got themselves. */
  readonly inherited: { value: Inherited };
  made: Promise<void>;
  /** The directory, as long as nobody has needed it. */
  waiting?: SourceEntry | undefined;
}

/**
 * The destination's directories along a walk: each is made after the one that it is in, and before anything is planned in it tells what
 * files there will inherit. Knows only the directories that are open in the walk, and those on their way.
 */
export class Directories {
  readonly #making: Making;
  /** From the one above the root down. */
  readonly #open: Open[];
  readonly #onTheirWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** @param above  what the root gets where it is not there yet */
  constructor(making: Making, above: Inherited) {
    this.#making = making;
    this.#open = [{ inherited: { value: above }, made: Promise.resolve() }];
  }

  /** What files get that are written into the directory that was entered last. */
  get inherited(): Inherited {
    return this.#innermost.inherited.value;
  }

  get #innermost(): Open {
    const innermost = this.#open.at(-1);
    if (!innermost) throw new Error('more directories were left than entered');
    return innermost;
  }

  /**
   * Begins to make a directory that is not there. The root is waited for: it decides whether the job can go on at all.
   * @throws RootError when the root cannot be written; of a directory below only what fails the job
   */
  async enter(directory: SourceEntry): Promise<void> {
    const { storage, root, makes, signal } = this.#making;
    const isRoot = directory.path === '';
    this.#throwFailure();
    if (directory.destination || !makes) {
      this.#open.push({ inherited: this.#inheritedBy(directory), made: Promise.resolve() });
      if (isRoot && makes) await atRoot(storage.requireWritable?.(root, signal));
      return;
    }
    const above = this.#innermost;
    const open: Open = { inherited: this.#inheritedBy(directory), made: Promise.resolve() };
    if (isRoot) await atRoot(this.#make(directory, above, open.inherited));
    else if (this.#making.isOptional(directory.path)) open.waiting = directory;
    else await this.#begin(directory, above, open);
    this.#open.push(open);
  }

  /** Begins to make the directory that was entered last, and those that it lies in, where they were not needed before. */
  async need(): Promise<void> {
    for (const [depth, open] of this.#open.entries()) {
      const { waiting } = open;
      const above = this.#open[depth - 1];
      if (!waiting || !above) continue;
      open.waiting = undefined;
      await this.#begin(waiting, above, open);
    }
  }

  async #begin(directory: SourceEntry, above: Open, open: Open): Promise<void> {
    const { onFailed } = this.#making;
    while (this.#onTheirWay.size >= AT_ONCE) await Promise.race(this.#onTheirWay);
    this.#throwFailure();
    const made = above.made
      .then(() => (this.#failure ? undefined : this.#make(directory, above, open.inherited)))
      .catch((error: unknown) => {
        if (error instanceof FanoutError && error.disposition !== 'fail-job') return onFailed(directory, error);
        throw error;
      })
      .catch((error: unknown) => void (this.#failure ??= { error }));
    this.#onTheirWay.add(made);
    void made.then(() => this.#onTheirWay.delete(made));
    open.made = made;
  }

  /** Enters a directory again that an earlier invocation entered, and made where it was not there. */
  async again(directory: SourceEntry): Promise<void> {
    const { storage, root, isOptional, signal } = this.#making;
    const above = this.#innermost;
    const inherited = this.#inheritedBy(directory);
    const open: Open = { inherited, made: Promise.resolve() };
    const wasOptional = directory.path !== '' && isOptional(directory.path);
    if (!directory.destination && (wasOptional || inherited !== above.inherited)) {
      const there = await storage.stat(join(root, directory.path), signal);
      if (!there && wasOptional) open.waiting = directory;
      // The invocation that made it knew whether its policies were refused.
      for (const policy of there && inherited !== above.inherited ? policies : []) {
        if (there?.[policy] !== inherited.value[policy]) inherited.value = without(policy, inherited, above.inherited);
      }
    }
    this.#open.push(open);
  }

  /** @throws what fails the job */
  leave(): void {
    this.#throwFailure();
    this.#open.pop();
  }

  /** Resolves when no directory is on its way, and none will be. @param error  why the walk has ended */
  async abandon(error: unknown): Promise<void> {
    this.#failure ??= { error };
    await Promise.all(this.#onTheirWay);
  }

  /** Resolves when no directory is on its way. @throws what fails the job */
  async settled(): Promise<void> {
    await Promise.all(this.#onTheirWay);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #inheritedBy({ source, destination }: SourceEntry): { value: Inherited } {
    if (destination) return { value: inheritedFrom(destination) };
    const { inherited } = this.#innermost;
    const { ecPolicy, stripe, storagePolicy } = source;
    const chosen = chosenAttributes(this.#making.options);
    const { value: above } = inherited;
    const isTold = ecPolicy !== undefined && above.ecPolicy !== undefined;
    const coding = chosen.has('ecpolicy') && isTold && ecPolicy !== above.ecPolicy ? { ecPolicy, stripe } : {};
    const isOther = storagePolicy !== undefined && storagePolicy !== above.storagePolicy;
    const storing = chosen.has('storagepolicy') && isOther ? { storagePolicy } : {};
    const own = { ...coding, ...storing };
    return Object.keys(own).length > 0 ? { value: { ...above, ...own } } : inherited;
  }

  /**
   * Makes a directory, with the source's policies where they were asked for: a policy is for the files that are made after it.
   * One that is refused is counted when the job finishes, where it is set again.
   */
  async #make({ path }: SourceEntry, above: Open, inherited: { value: Inherited }): Promise<void> {
    const { storage, root, options, signal } = this.#making;
    const directory = join(root, path);
    const chosen = chosenAttributes(options);
    const isClosed = chosen.has('permission') || chosen.has('acl');
    await storage.makeDirectory(directory, isClosed ? CLOSED : undefined, signal);
    for (const policy of policies) {
      const name = inherited.value[policy];
      if (name === undefined || name === above.inherited.value[policy]) continue;
      try {
        await setPolicy(storage, policy, directory, name, signal);
      } catch (error) {
        if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
        inherited.value = without(policy, inherited, above.inherited);
      }
    }
  }
}

const policies = ['ecPolicy', 'storagePolicy'] as const;
type Policy = (typeof policies)[number];

async function setPolicy(
  { hadoop }: Storage,
  policy: Policy,
  directory: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await (policy === 'ecPolicy'
    ? hadoop?.setErasureCodingPolicy(directory, name, signal)
    : hadoop?.setStoragePolicy(directory, name, signal));
}

/** What a directory gives to its files whose policy was refused: that of the one above it. */
function without(policy: Policy, { value }: { value: Inherited }, { value: above }: { value: Inherited }): Inherited {
  const { ecPolicy, stripe, storagePolicy } = above;
  return { ...value, ...(policy === 'ecPolicy' ? { ecPolicy, stripe } : { storagePolicy }) };
}
