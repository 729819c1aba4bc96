import { SpecError } from '../errors.ts';
import { parseExpression, type Tree } from './expression-syntax.ts';

/** An expression of more states is refused: counted repetitions multiply. */
const STATES_LIMIT = 5000;
/** Sets of states that are remembered with what follows them, before all are forgotten. */
const REMEMBERED = 2000;

/** One state of the automaton: it waits for a character, or stands for others. */
type State =
  { readonly takes: (code: number) => boolean; readonly next: number } | { readonly either: readonly number[] };

/** A set of states after some text, and the sets that were found to follow it, by character. */
interface Place {
  readonly states: readonly number[];
  readonly isEnd: boolean;
  readonly following: Map<number, Place>;
}

/**
 * Whether a whole text matches one of Java's regular expressions, as `Pattern.matches` does. Takes time in proportion to the length of the text
 * whatever the expression is, since nothing is ever tried again: what would need that is refused.
 *
 * @throws SpecError for an expression that is none, or that holds what is not taken (`expression-syntax.ts`)
 * @see Thompson, Regular Expression Search Algorithm, 1968: all states at once, in place of one after the other
 */
export function wholeMatcher(expression: string): (text: string) => boolean {
  const automaton = new Automaton(expression);
  return (text) => automaton.matches(text);
}

class Automaton {
  readonly #states: State[] = [];
  readonly #expression: string;
  readonly #start: readonly number[];
  #places = new Map<string, Place>();

  constructor(expression: string) {
    this.#expression = expression;
    // The state behind the last one is the end: nothing waits there.
    const end = this.#add({ either: [] });
    this.#start = this.#closed([this.#build(parseExpression(expression), end)]);
  }

  matches(text: string): boolean {
    let place = this.#place(this.#start);
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at) ?? 0;
      place = this.#after(place, code);
      if (place.states.length === 0) return false;
      at += code > 0xffff ? 2 : 1;
    }
    return place.isEnd;
  }

  #after(place: Place, code: number): Place {
    const known = place.following.get(code);
    if (known) return known;
    const next = place.states.flatMap((index) => {
      const state = this.#states[index];
      return state && 'takes' in state && state.takes(code) ? [state.next] : [];
    });
    const following = this.#place(this.#closed(next));
    if (place.following.size < REMEMBERED) place.following.set(code, following);
    return following;
  }

  #place(states: readonly number[]): Place {
    const key = states.join();
    const known = this.#places.get(key);
    if (known) return known;
    if (this.#places.size >= REMEMBERED) this.#places = new Map();
    const place = { states, isEnd: states.includes(0), following: new Map<number, Place>() };
    this.#places.set(key, place);
    return place;
  }

  /** With all that they stand for, in order. */
  #closed(states: readonly number[]): readonly number[] {
    const all = new Set(states);
    for (const index of all) {
      const state = this.#states[index];
      if (state && 'either' in state) for (const one of state.either) all.add(one);
    }
    return [...all].sort((a, b) => a - b);
  }

  /** @returns the state in which a text begins that matches the tree and goes on in `next` */
  #build(tree: Tree, next: number): number {
    switch (tree.kind) {
      case 'one':
        return this.#add({ takes: tree.takes, next });
      case 'all':
        return tree.parts.reduceRight((after, part) => this.#build(part, after), next);
      case 'either':
        return this.#add({ either: tree.parts.map((part) => this.#build(part, next)) });
      case 'repeated':
        return this.#buildRepeated(tree, next);
    }
  }

  #buildRepeated({ part, least, most }: Tree & { kind: 'repeated' }, next: number): number {
    let after = next;
    if (most === Infinity) {
      const either: number[] = [];
      after = this.#add({ either });
      either.push(this.#build(part, after), next);
    } else {
      for (let times = most; times > least; times--) {
        const begin = this.#build(part, after);
        if (begin === after) break;
        after = this.#add({ either: [begin, next] });
      }
    }
    for (let times = 0; times < least; times++) {
      const begin = this.#build(part, after);
      // What adds no state takes no text, however often it is repeated, and no limit would end the repetition.
      if (begin === after) break;
      after = begin;
    }
    return after;
  }

  #add(state: State): number {
    if (this.#states.length >= STATES_LIMIT) {
      throw new SpecError(`the expression ${this.#expression} is too large`, 'repeat less, or write several');
    }
    return this.#states.push(state) - 1;
  }
}
