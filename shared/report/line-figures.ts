import type { FileLine } from '../job/file-line.ts';
import { parentOf } from '../storage/path.ts';
import { Latencies } from './latencies.ts';
import type { Report, ReportedFile } from './report.ts';
import { Timeline } from './timeline.ts';

const TOP = 10;
const DELETIONS = 100;
const HOSTS = 1000;
const TRASHES = 100;
const KIB = 1024;
/** Upper ends of the classes of lengths; nothing is above the last. */
const SIZES = [1, KIB, 16 * KIB, 256 * KIB, 4 * KIB ** 2, 64 * KIB ** 2, KIB ** 3, 16 * KIB ** 3, null] as const;

type Figures = Pick<Report, 'timeline' | 'latency' | 'sizes' | 'slowest' | 'largest'>;

/** What the lines of a job add up to, whatever their number, in the room of a page. */
export class LineFigures {
  readonly #timeline: Timeline;
  readonly #latencies = new Latencies();
  readonly #sizes = SIZES.map((below) => ({ below, files: 0, bytes: 0 }));
  readonly #slowest = new Top((file) => file.tookMs);
  readonly #largest = new Top((file) => file.bytes);
  readonly #failedTries = new Map<string, number>();
  readonly #deleted: Report['deletions']['listed'] = [];
  readonly #trashes = new Map<string, number>();
  #moreDeleted = 0;
  #files = 0;

  constructor(beganAtMs: number, endedAtMs: number) {
    this.#timeline = new Timeline(beganAtMs, endedAtMs);
  }

  add(line: FileLine): void {
    for (const host of line.hosts ?? []) addTo(this.#failedTries, host, HOSTS);
    switch (line.outcome) {
      case 'copied':
        this.#files += 1;
        this.#addCopied(line);
        break;
      case 'skipped':
        this.#files += 1;
        break;
      case 'chunk':
        this.#timeline.add(line);
        break;
      case 'deleted':
        this.#addDeleted(line);
        break;
      case 'failed':
      case 'vanished':
      case 'changed':
      case 'kept':
        break;
    }
  }

  /** Files that were copied or skipped. */
  get files(): number {
    return this.#files;
  }

  /** By host. */
  get failedTries(): ReadonlyMap<string, number> {
    return this.#failedTries;
  }

  get figures(): Figures {
    const latency = this.#latencies.told;
    return {
      timeline: this.#timeline.told,
      ...(latency ? { latency } : {}),
      sizes: this.#sizes,
      slowest: this.#slowest.files,
      largest: this.#largest.files,
    };
  }

  get deletions(): Report['deletions'] {
    const listed = [...this.#deleted].sort((a, b) => (a.path < b.path ? -1 : 1));
    const trashes = [...this.#trashes].map(([directory, entries]) => ({ directory, entries }));
    return { listed, more: this.#moreDeleted, trashes };
  }

  #addCopied(line: FileLine): void {
    const { path, bytes, tookMs, retries, endedAtMs, isJoined } = line;
    this.#timeline.add(line);
    const size = this.#sizes.find(({ below }) => below === null || bytes < below);
    if (size) {
      size.files += 1;
      size.bytes += bytes;
    }
    const file = { path, bytes, tookMs, retries, endedAtMs };
    this.#largest.add(file);
    if (isJoined) return;
    this.#latencies.add(tookMs);
    this.#slowest.add(file);
  }

  #addDeleted({ path, bytes, trash }: FileLine): void {
    if (trash !== undefined) addTo(this.#trashes, trashOf(trash), TRASHES);
    if (this.#deleted.length === DELETIONS) this.#moreDeleted += 1;
    else this.#deleted.push({ path, bytes, ...(trash === undefined ? {} : { trash }) });
  }
}

/** The root of a trash and what lies in it: `/user/ann/.Trash/Current`. */
function trashOf(path: string): string {
  return /^(?:.*?)\/\.Trash\/(?:[^/]+\/)?Current(?=\/)/.exec(path)?.[0] ?? parentOf(path);
}

function addTo(counts: Map<string, number>, key: string, most: number): void {
  if (counts.has(key) || counts.size < most) counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The files of which something is most. */
class Top {
  readonly #by: (file: ReportedFile) => number;
  #files: ReportedFile[] = [];

  constructor(by: (file: ReportedFile) => number) {
    this.#by = by;
  }

  add(file: ReportedFile): void {
    const least = this.#files.at(-1);
    if (this.#files.length === TOP && least && this.#by(file) <= this.#by(least)) return;
    this.#files = [...this.#files, file].sort((a, b) => this.#by(b) - this.#by(a)).slice(0, TOP);
  }

  get files(): ReportedFile[] {
    return this.#files;
  }
}
