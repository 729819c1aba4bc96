import type { Counters } from '../job/outcome.ts';
import { findingsIn, type Proof, type Summary, summaryOf, type VerifyLevel } from '../job/verification.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { Difference } from './finding.ts';

/** What a tally holds. Plain JSON. */
export interface TallyState {
  readonly counters: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

/** Counts what is found, as counters of a job: those of several tallies add up. Of a size that does not grow with the trees. */
export class Tally {
  readonly #counters: Map<string, number>;
  readonly #notes: Set<string>;

  /** @param from  what an earlier one held */
  constructor(from?: TallyState) {
    this.#counters = new Map(Object.entries(from?.counters ?? {}));
    this.#notes = new Set(from?.notes);
  }

  get state(): TallyState {
    return { counters: Object.fromEntries(this.#counters), notes: [...this.#notes] };
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** Files that both sides have and that were looked at. */
  get compared(): number {
    return this.#counters.get('files.compared') ?? 0;
  }

  /** Lines of a report. */
  get findings(): number {
    return findingsIn(this.#counters);
  }

  /** A file that both sides have and that was looked at, however that ended. */
  compare(bytes: number): void {
    this.#add('files.compared');
    this.#add('bytes.compared', bytes);
  }

  /** A file or directory of which all is alike that was looked at. */
  alike({ kind, lengthBytes }: Pick<FileStatus, 'kind' | 'lengthBytes'>): void {
    this.#addEntry('equal', kind, lengthBytes);
  }

  /** A file whose content is equal. */
  prove(proof: Proof): void {
    this.#add(`verify.proved.${proof}`);
  }

  leaveOut(why: string): void {
    this.#add(`verify.leftOut.${why}`);
  }

  /** What was not looked at, and what would. */
  note(text: string): void {
    this.#notes.add(text);
  }

  find(found: Difference): void {
    this.#add('verify.findings');
    switch (found.type) {
      case 'missing':
      case 'extra':
        this.#addEntry(found.type, found.kind, found.bytes);
        break;
      case 'different':
        this.#add(`verify.different.${found.by}`);
        break;
      case 'attributes':
        for (const name of Object.keys(found.attributes)) this.#add(`verify.attributes.${name}`);
        break;
      case 'open':
      case 'unknown':
        this.#add(`verify.${found.type}`);
        break;
    }
  }

  summary(level: VerifyLevel): Summary {
    return summaryOf(this.#counters, level, [...this.#notes]);
  }

  #addEntry(name: string, kind: FileStatus['kind'], bytes: number): void {
    if (kind === 'directory') this.#add(`verify.${name}.directories`);
    else {
      this.#add(`verify.${name}.files`);
      this.#add(`verify.${name}.bytes`, bytes);
    }
  }

  #add(name: string, value = 1): void {
    if (value !== 0) this.#counters.set(name, (this.#counters.get(name) ?? 0) + value);
  }
}
