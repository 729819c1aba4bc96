import { SpecError } from '../errors.ts';

/** What an expression says. Characters are code points. */
export type Tree =
  | { readonly kind: 'one'; readonly takes: (code: number) => boolean }
  | { readonly kind: 'all' | 'either'; readonly parts: readonly Tree[] }
  | { readonly kind: 'repeated'; readonly part: Tree; readonly least: number; readonly most: number };

type Takes = (code: number) => boolean;

const isDigit: Takes = (code) => code >= 0x30 && code <= 0x39;
const isLetter: Takes = (code) => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
const isWord: Takes = (code) => isLetter(code) || isDigit(code) || code === 0x5f;
const isSpace: Takes = (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isLineEnd: Takes = (code) => [0x0a, 0x0d, 0x85, 0x2028, 0x2029].includes(code);
const not =
  (takes: Takes): Takes =>
  (code) =>
    !takes(code);

const CLASSES: Readonly<Record<string, Takes>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, r: 0x0d, f: 0x0c };
/** Groups within groups. */
const DEPTH_LIMIT = 100;

/**
 * Parses the part of Java's regular expressions that paths are held against: characters, `.`, `[a-z]` and `[^a-z]`, `\d \w \s` and their
 * opposites, `|`, groups with or without a name, `* + ? {2} {2,} {2,3}` greedy or reluctant, `\t \n \r \f \x2e \u002e`, `\Q…\E`, `(?i)` at the
 * beginning, `^` and `$` where they say nothing: at either end.
 *
 * Refused is what needs more than one look at a text (look-around, references to groups, possessive and atomic groups), and what is rare in
 * paths: other flags, `\p{…}`, `\b`, intersections and classes within classes.
 *
 * @throws SpecError
 * @see java.util.regex.Pattern
 */
export function parseExpression(expression: string): Tree {
  return new Parser(expression).parse();
}

class Parser {
  readonly #expression: string;
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #ignoresCase = false;

  constructor(expression: string) {
    this.#expression = expression;
    this.#characters = Array.from(expression);
  }

  parse(): Tree {
    if (this.#takes('(?i)')) this.#ignoresCase = true;
    const tree = this.#either();
    if (this.#at < this.#characters.length) this.#refuse('a ) that opens nothing');
    return tree;
  }

  #either(): Tree {
    const parts = [this.#all()];
    while (this.#takes('|')) parts.push(this.#all());
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'either', parts };
  }

  #all(): Tree {
    const parts: Tree[] = [];
    const isOutermost = this.#depth === 0;
    if (isOutermost) this.#takes('^');
    while (this.#at < this.#characters.length && this.#next !== '|' && this.#next !== ')') {
      if (isOutermost && this.#next === '$' && [undefined, '|'].includes(this.#characters[this.#at + 1])) {
        this.#at += 1;
        break;
      }
      if (this.#takes('\\Q')) parts.push(...this.#quoted());
      else parts.push(this.#repeated(this.#atom()));
    }
    return { kind: 'all', parts };
  }

  #atom(): Tree {
    const character = this.#take();
    switch (character) {
      case '.':
        return { kind: 'one', takes: not(isLineEnd) };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'one', takes: this.#set() };
      case '\\':
        return { kind: 'one', takes: this.#escaped() };
      case '^':
      case '$':
        return this.#refuse(`${character} within`);
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#refuse(`a ${character} that repeats nothing`);
      default:
        return { kind: 'one', takes: this.#literally(codeOf(character)) };
    }
  }

  #group(): Tree {
    if (this.#next === '?' && !this.#takes('?:')) {
      this.#takes('?<');
      const name = this.#until('>');
      if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name))
        this.#refuse('a group that begins with (? and is neither (?: nor (?<name>');
    }
    this.#depth += 1;
    if (this.#depth > DEPTH_LIMIT) this.#refuse('too many groups within groups');
    const tree = this.#either();
    if (!this.#takes(')')) this.#refuse('a ( that is not closed');
    this.#depth -= 1;
    return tree;
  }

  #repeated(part: Tree): Tree {
    const bounds = this.#bounds();
    if (!bounds) return part;
    if (this.#next === '+') this.#refuse('a possessive repetition');
    this.#takes('?');
    if (['*', '+', '?', '{'].includes(this.#next ?? '')) this.#refuse('a repetition of a repetition');
    return { kind: 'repeated', part, ...bounds };
  }

  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#takes('*')) return { least: 0, most: Infinity };
    if (this.#takes('+')) return { least: 1, most: Infinity };
    if (this.#takes('?')) return { least: 0, most: 1 };
    if (!this.#takes('{')) return undefined;
    const [, from = '', comma, to = ''] = /^(\d{1,4})(?:(,)(\d{0,4}))?$/.exec(this.#until('}')) ?? [];
    const least = Number(from);
    const most = comma === undefined ? least : to === '' ? Infinity : Number(to);
    if (from === '' || most < least) this.#refuse('a { that counts nothing');
    return { least, most };
  }

  #quoted(): Tree[] {
    const parts: Tree[] = [];
    while (this.#at < this.#characters.length && !this.#takes('\\E')) {
      parts.push({ kind: 'one', takes: this.#literally(codeOf(this.#take())) });
    }
    return parts;
  }

  #set(): Takes {
    const isNegated = this.#takes('^');
    const members: Takes[] = [];
    do {
      if (this.#next === '[' || this.#takes('&&')) this.#refuse('a class within a class');
      members.push(this.#member());
    } while (this.#at < this.#characters.length && this.#next !== ']');
    if (!this.#takes(']')) this.#refuse('a [ that is not closed');
    const takes: Takes = (code) => members.some((member) => member(code));
    return isNegated ? not(takes) : takes;
  }

  #member(): Takes {
    const character = this.#take();
    const from = character === '\\' ? this.#escapedCode() : codeOf(character);
    if (typeof from !== 'number') return from;
    const isRange = this.#next === '-' && ![undefined, ']'].includes(this.#characters[this.#at + 1]);
    if (!isRange) return this.#literally(from);
    this.#at += 1;
    const last = this.#take();
    if (last === '[') this.#refuse('a class within a class');
    const to = last === '\\' ? this.#escapedCode() : codeOf(last);
    if (typeof to !== 'number' || to < from) return this.#refuse('a range that runs backwards');
    return this.#caseless((code) => code >= from && code <= to);
  }

  #escaped(): Takes {
    const escaped = this.#escapedCode();
    return typeof escaped === 'number' ? this.#literally(escaped) : escaped;
  }

  /** What stands behind a backslash: a character, or a class of them. */
  #escapedCode(): number | Takes {
    const character = this.#take();
    const known = CLASSES[character] ?? CONTROLS[character];
    if (known !== undefined) return known;
    if (character === 'x' || character === 'u') {
      const digits = this.#characters.slice(this.#at, this.#at + (character === 'x' ? 2 : 4)).join('');
      this.#at += digits.length;
      if (!/^(?:[0-9a-fA-F]{2}){1,2}$/.test(digits)) this.#refuse(`\\${character} without its digits`);
      return Number.parseInt(digits, 16);
    }
    if (character === '' || isLetter(codeOf(character)) || isDigit(codeOf(character))) this.#refuse(`\\${character}`);
    return codeOf(character);
  }

  #literally(code: number): Takes {
    return this.#caseless((other) => other === code);
  }

  /** As Java's (?i) without (?u): of ASCII letters alone. */
  #caseless(takes: Takes): Takes {
    if (!this.#ignoresCase) return takes;
    return (code) => takes(code) || (isLetter(code) && takes(code ^ 0x20));
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string {
    return this.#characters[this.#at++] ?? '';
  }

  #takes(text: string): boolean {
    const isNext = Array.from(text).every((character, index) => this.#characters[this.#at + index] === character);
    if (isNext) this.#at += text.length;
    return isNext;
  }

  /** What comes before a character, which is taken too. */
  #until(character: string): string {
    const end = this.#characters.indexOf(character, this.#at);
    const text = this.#characters.slice(this.#at, end < 0 ? this.#at : end).join('');
    if (end >= 0) this.#at = end + 1;
    return text;
  }

  #refuse(what: string): never {
    throw new SpecError(
      `the expression ${this.#expression} holds ${what}, at character ${Math.min(this.#at, this.#characters.length)}`,
      "of Java's expressions, those are taken that docs/operations.md lists",
    );
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
