import { isWithin } from '../storage/path.ts';

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Renames of one tree, one after the other, and what they make of its names. Paths are below the root. Pure. */
export class Moves {
  readonly #moves: Move[] = [];

  /** @param from  its name behind all moves so far */
  add(move: Move): void {
    this.#moves.push(move);
  }

  /** What an entry is called behind all moves. @param path  its name before them */
  after(path: string): string {
    return this.#moves.reduce((at, { from, to }) => (isWithin(at, from) ? to + at.slice(from.length) : at), path);
  }

  /** What has a name behind all moves, by its name before them; undefined where nothing was moved there, and whatever had it was moved away. */
  before(path: string): string | undefined {
    let at = path;
    for (const { from, to } of [...this.#moves].reverse()) {
      if (isWithin(at, to)) at = from + at.slice(to.length);
      else if (isWithin(at, from)) return undefined;
    }
    return at;
  }
}
