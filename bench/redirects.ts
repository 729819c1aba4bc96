/** Sends those whom a namenode redirects to a datanode to where a proxy stands for it. */
export class Redirects {
  readonly #places: ReadonlyMap<string, string>;

  /** @param places  how URLs of datanodes begin, `http://host:port/`, and what they begin with instead */
  constructor(places: ReadonlyMap<string, string>) {
    this.#places = places;
  }

  /** Changes what one connection brings. A URL may lie in two pieces, so that its beginning is held back until the rest is there. */
  rewriter(): (piece: Buffer) => Buffer {
    let held = '';
    return (piece) => {
      let text = held + piece.toString('latin1');
      for (const [place, other] of this.#places) text = text.replaceAll(place, other);
      const at = text.length - this.#begunAtEndOf(text);
      held = text.slice(at);
      return Buffer.from(text.slice(0, at), 'latin1');
    };
  }

  /** How many bytes at its end may be the beginning of such a URL. */
  #begunAtEndOf(text: string): number {
    const longest = Math.max(0, ...[...this.#places.keys()].map(({ length }) => length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(-length);
      if ([...this.#places.keys()].some((place) => place.startsWith(end))) return length;
    }
    return 0;
  }
}
