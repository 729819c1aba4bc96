import type { Log } from '../log.ts';

/** What of directories' attributes could not be kept. Plain JSON. */
export interface DirectoryLosses {
  /** How many directories each attribute could not be set on, and under `reasons.` why. */
  readonly warnings: Readonly<Record<string, number>>;
  /** The first directories, each as a line with the reason. */
  readonly examples: readonly string[];
}

/** A person looks at some of them; the log has all. */
const EXAMPLES = 100;
/** An item of DynamoDB holds 400 KB, the job and the cursor are one each, and a path may have 8,000 characters. */
const EXAMPLES_CHARACTERS = 50_000;

/** Counts directories that did not get their attributes, and names them. */
export class DirectoryLossReport {
  readonly #warnings: Record<string, number>;
  readonly #examples: string[];
  readonly #log: Log;

  constructor({ warnings, examples }: DirectoryLosses, log: Log) {
    this.#warnings = { ...warnings };
    this.#examples = [...examples];
    this.#log = log;
  }

  /** @param names  what is counted. @param reason  a line for a person */
  add(path: string, names: readonly string[], reason: string): void {
    for (const name of names) this.#warnings[name] = (this.#warnings[name] ?? 0) + 1;
    this.#log.warn({ path, error: reason }, 'a directory did not get all its attributes');
    const example = `${path}: ${reason}`;
    const characters = this.#examples.reduce((sum, { length }) => sum + length, example.length);
    if (this.#examples.length < EXAMPLES && characters <= EXAMPLES_CHARACTERS) this.#examples.push(example);
  }

  /** A directory that was not even looked at. @param name  what is counted */
  addReason(path: string, name: string, reason: string): void {
    this.add(path, [name, `reasons.${name}: ${reason}`], reason);
  }

  get losses(): DirectoryLosses {
    return { warnings: { ...this.#warnings }, examples: [...this.#examples] };
  }
}
