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

/** Different reasons that are counted: each is a field of the job and a line of its status. */
const REASONS = 50;
const OTHER_REASONS = 'reasons.other reasons: see the log';

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
    for (const name of names) this.#count(name);
    this.#log.warn({ path, error: reason }, 'a directory did not get all its attributes');
    const example = `${path}: ${reason}`;
    const characters = this.#examples.reduce((sum, { length }) => sum + length, example.length);
    if (this.#examples.length < EXAMPLES && characters <= EXAMPLES_CHARACTERS) this.#examples.push(example);
  }

  /** A directory that was not even looked at. @param name  what is counted. @param kind  why, as it may be said of many */
  addReason(path: string, name: string, reason: string, kind = reason): void {
    this.add(path, [name, `reasons.${name}: ${kind}`], reason);
  }

  get losses(): DirectoryLosses {
    return { warnings: { ...this.#warnings }, examples: [...this.#examples] };
  }

  #count(name: string): void {
    const isNew = !(name in this.#warnings);
    const isOver = isNew && Object.keys(this.#warnings).filter((one) => one.startsWith('reasons.')).length >= REASONS;
    const counted = isOver && name.startsWith('reasons.') ? OTHER_REASONS : name;
    this.#warnings[counted] = (this.#warnings[counted] ?? 0) + 1;
  }
}
