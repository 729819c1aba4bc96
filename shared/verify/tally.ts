import type { FileStatus } from '../storage/storage.ts';
import type { Proof } from './compare-files.ts';
import type { Difference, VerifyLevel } from './finding.ts';

interface Counts {
  files: number;
  directories: number;
  /** Of the files. */
  bytes: number;
}

/** What was found of two trees in all. */
export interface Summary {
  /** `unknown` where anything could not be told, whatever else differs. */
  readonly outcome: 'equal' | 'different' | 'unknown';
  readonly level: VerifyLevel;
  /** Of which nothing is told. */
  readonly equal: Readonly<Counts>;
  /** How files were shown to have one content, those included whose attributes differ. */
  readonly proved: Readonly<Partial<Record<Proof, number>>>;
  readonly missing: Readonly<Counts>;
  readonly extra: Readonly<Counts>;
  readonly different: Readonly<Record<'type' | 'length' | 'content', number>>;
  /** Files and directories, by the attributes that differ. */
  readonly attributes: Readonly<Record<string, number>>;
  readonly open: number;
  readonly unknown: number;
  /** Entries that were left out, by the option that did, or by what they are. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What was not looked at, and what would. */
  readonly untold: readonly string[];
}

const none = (): Counts => ({ files: 0, directories: 0, bytes: 0 });

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Counts what is found. Of a size that does not grow with the trees. */
export class Tally {
  readonly #equal = none();
  readonly #missing = none();
  readonly #extra = none();
  readonly #proved: Partial<Record<Proof, number>> = {};
  readonly #different = { type: 0, length: 0, content: 0 };
  readonly #attributes: Record<string, number> = {};
  readonly #leftOut: Record<string, number> = {};
  #open = 0;
  #unknown = 0;
  /** Files that both sides have and that were looked at. */
  compared = 0;
  /** Lines of a report. */
  findings = 0;

  /** A file or directory of which all is alike that was looked at. */
  alike(status: Pick<FileStatus, 'kind' | 'lengthBytes'>): void {
    add(this.#equal, status.kind, status.lengthBytes);
  }

  /** A file whose content is equal. */
  prove(proof: Proof): void {
    this.#proved[proof] = (this.#proved[proof] ?? 0) + 1;
  }

  leaveOut(why: string): void {
    count(this.#leftOut, why);
  }

  find(found: Difference): void {
    this.findings += 1;
    switch (found.type) {
      case 'missing':
        add(this.#missing, found.kind, found.bytes);
        break;
      case 'extra':
        add(this.#extra, found.kind, found.bytes);
        break;
      case 'different':
        this.#different[found.by] += 1;
        break;
      case 'attributes':
        for (const name of Object.keys(found.attributes)) count(this.#attributes, name);
        break;
      case 'open':
        this.#open += 1;
        break;
      case 'unknown':
        this.#unknown += 1;
        break;
    }
  }

  /** Whether nothing of the source was found at the destination. */
  get hasNothingInCommon(): boolean {
    return this.compared === 0;
  }

  /** @param notes  what was not looked at, besides what the level leaves out */
  summary(level: VerifyLevel, notes: readonly string[]): Summary {
    const isUnknown = this.#open + this.#unknown > 0;
    const byLevel = untoldAt(level, this.#proved);
    return {
      outcome: isUnknown ? 'unknown' : this.findings > 0 ? 'different' : 'equal',
      level,
      equal: { ...this.#equal },
      proved: { ...this.#proved },
      missing: { ...this.#missing },
      extra: { ...this.#extra },
      different: { ...this.#different },
      attributes: { ...this.#attributes },
      open: this.#open,
      unknown: this.#unknown,
      leftOut: { ...this.#leftOut },
      untold: byLevel === undefined ? notes : [byLevel, ...notes],
    };
  }
}

function add(counts: Counts, kind: FileStatus['kind'], bytes: number): void {
  if (kind === 'directory') counts.directories += 1;
  else {
    counts.files += 1;
    counts.bytes += bytes;
  }
}

/** What only another level could tell. */
function untoldAt(level: VerifyLevel, proved: Partial<Record<Proof, number>>): string | undefined {
  const files = (number: number) => `${number} ${number === 1 ? 'file' : 'files'}`;
  switch (level) {
    case 'size':
      if (!proved.length) return undefined;
      return `of ${files(proved.length)} of equal length neither the content was compared nor whether somebody writes them: --level checksum tells`;
    case 'checksum':
      if (!proved.checksum) return undefined;
      return `of ${files(proved.checksum)} the stored checksums were compared, and no block was read: --level read-back tells what the disks hold`;
    case 'read-back':
      return undefined;
  }
}
