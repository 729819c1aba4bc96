import { countersOf, DIRECTORIES_DUE, DIRECTORIES_EQUAL, type SkippedOutcome } from '../job/outcome.ts';

/** What a plan settles by itself, as counters of the job; none of it is in a batch. */
export class Tally {
  readonly #counters: Record<string, number>;

  /** @param from  what an earlier planner stopped with */
  constructor(from: Readonly<Record<string, number>> = {}) {
    this.#counters = { ...from };
  }

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  /** A file that is skipped without a copier's work. */
  skip(outcome: SkippedOutcome): void {
    for (const [name, value] of countersOf(outcome)) this.#add(name, value);
  }

  /** What the user's choice left out. @param why  the option that did */
  leaveOut(why: string): void {
    this.#add(`filtered.${why}`, 1);
  }

  /** A directory at both ends, or at the source alone. @param isEqual  nothing of it is to be set */
  directory(isEqual: boolean): void {
    this.#add(isEqual ? DIRECTORIES_EQUAL : DIRECTORIES_DUE, 1);
  }

  /** An entry of the source that was looked at, of a job that may leave out others. */
  look(): void {
    this.#add('entries.looked', 1);
  }

  #add(name: string, value: number): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + value;
  }
}
