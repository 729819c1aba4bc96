import { messageOf, SpecError } from '../errors.ts';

/**
 * Patterns for names and paths. The language, which is Hadoop's: `*`, `?`, `[a-z]`, `[!a]` or `[^a]`, `{a,b}` also around slashes, nested, empty or
 * with a single alternative (`{x}` is `x`), and `\` before a character that stands for itself. `**` is `*`, and `{1..3}` is
 * the text `1..3`. What Hadoop refuses is refused too: an open bracket or brace, a backslash at the end.
 *
 * It differs where Hadoop passes characters on to Java's regular expressions by mistake: `\d` is the letter d, and inside of
 * brackets `*`, `?`, `{` and `,` are themselves.
 *
 * @see Hadoop GlobExpander, GlobPattern
 */

/** Braces multiply: `{a,b}` twenty times over is a million paths. */
const ALTERNATIVES_LIMIT = 10_000;

/** What one character of a name must be, or any number of them. */
type Token = { readonly one: (character: string) => boolean } | 'any';

/**
 * What a path stands for once its braces are expanded; a path without any pattern is taken as it is, backslashes too, since they escape
 * only where there is something to escape.
 * @throws SpecError for a brace that is not closed
 */
export function alternativesOf(path: string): { readonly paths: readonly string[]; readonly isPattern: boolean } {
  const isPattern = /[*?[{]/.test(path);
  return { paths: isPattern ? expandBraces(path) : [path], isPattern };
}

/**
 * The alternatives of all braces, in order; what is left holds no brace but escaped ones and those inside of brackets.
 * @throws SpecError for a brace that is not closed
 */
export function expandBraces(pattern: string): string[] {
  let expanded: string[] = [''];
  for (let at = 0; at < pattern.length;) {
    if (pattern[at] === '{') {
      const { alternatives, end } = group(pattern, at);
      const each = alternatives.flatMap(expandBraces);
      if (expanded.length * each.length > ALTERNATIVES_LIMIT) {
        throw new SpecError(
          `the braces of ${pattern} make more than ${ALTERNATIVES_LIMIT} paths`,
          'name fewer of them',
        );
      }
      expanded = expanded.flatMap((head) => each.map((tail) => head + tail));
      at = end;
    } else {
      const end = pieceEnd(pattern, at);
      const piece = pattern.slice(at, end);
      expanded = expanded.map((head) => head + piece);
      at = end;
    }
  }
  return expanded;
}

/** The alternatives of the group that opens at `start`, taken apart at its own commas, and where it ends. */
function group(pattern: string, start: number): { alternatives: string[]; end: number } {
  const alternatives: string[] = [];
  let from = start + 1;
  for (let at = from; at < pattern.length;) {
    const character = pattern[at];
    if (character === ',' || character === '}') {
      alternatives.push(pattern.slice(from, at));
      from = at + 1;
    }
    if (character === '}') return { alternatives, end: from };
    at = character === '{' ? group(pattern, at).end : pieceEnd(pattern, at);
  }
  throw new SpecError(`a { is not closed in ${pattern}`, 'write \\{ for the character itself');
}

/** Where the character, the escaped one or the set that begins at `at` ends. */
function pieceEnd(pattern: string, at: number): number {
  if (pattern[at] === '\\') return at + 2;
  return pattern[at] === '[' ? (setEnd(pattern, at) ?? at + 1) : at + 1;
}

/** Where a set ends: after its first `]` that is neither escaped nor its first member; undefined when it has no end. */
function setEnd(pattern: string, start: number): number | undefined {
  const first = /[!^]/.test(pattern[start + 1] ?? '') ? start + 2 : start + 1;
  for (let at = first; at < pattern.length && pattern[at] !== '/'; at++) {
    if (pattern[at] === '\\') at += 1;
    else if (pattern[at] === ']' && at > first) return at + 1;
  }
  return undefined;
}

/** Whether a path holds a pattern; a backslash before a character makes it literal. */
export function hasGlob(path: string): boolean {
  return /[*?[{]/.test(path.replace(/\\[^]/g, ''));
}

/**
 * Whether a name matches a pattern without slashes.
 *
 * @param which  `not hidden`: a wildcard at the beginning matches no dot, so that a name which begins with one is
 *   matched only by a pattern that says so
 * @throws SpecError for a pattern that is none
 */
export function nameMatcher(pattern: string, which: 'all' | 'not hidden'): (name: string) => boolean {
  const alternatives = expandBraces(pattern).map((alternative) => {
    const hidden = which === 'all' || /^\\?\./.test(alternative);
    const tokens = tokensOf(alternative);
    return (name: string) => (hidden || !name.startsWith('.')) && matches(tokens, Array.from(name));
  });
  return (name) => alternatives.some((alternative) => alternative(name));
}

/** What is wrong with a pattern, in one line; undefined when it is one. */
export function faultOf(pattern: string): string | undefined {
  try {
    nameMatcher(pattern, 'all');
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const character = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    if (character === '*') {
      if (tokens.at(-1) !== 'any') tokens.push('any');
      at += 1;
    } else if (character === '?') {
      tokens.push({ one: () => true });
      at += 1;
    } else if (character === '[') {
      const end = setEnd(pattern, at);
      if (end === undefined) {
        throw new SpecError(`a [ is not closed in ${pattern}`, 'write \\[ for the character itself');
      }
      tokens.push({ one: setOf(pattern.slice(at + 1, end - 1), pattern) });
      at = end;
    } else {
      const { literal, end } = literalAt(pattern, at);
      tokens.push({ one: (other) => other === literal });
      at = end;
    }
  }
  return tokens;
}

/** One character that stands for itself, escaped or not. */
function literalAt(text: string, at: number): { literal: string; end: number } {
  const start = text[at] === '\\' ? at + 1 : at;
  const code = text.codePointAt(start);
  if (code === undefined) {
    throw new SpecError(`${text} ends with a backslash that escapes nothing`, 'write \\\\ for the character itself');
  }
  const literal = String.fromCodePoint(code);
  return { literal, end: start + literal.length };
}

/** @param members  between the brackets */
function setOf(members: string, pattern: string): (character: string) => boolean {
  const negated = /^[!^]/.test(members);
  const ranges: { from: number; to: number }[] = [];
  for (let at = negated ? 1 : 0; at < members.length;) {
    const first = literalAt(members, at);
    const isRange = members[first.end] === '-' && first.end + 1 < members.length;
    const last = isRange ? literalAt(members, first.end + 1) : first;
    const [from, to] = [codeOf(first.literal), codeOf(last.literal)];
    if (from > to) {
      throw new SpecError(`the range ${first.literal}-${last.literal} runs backwards in ${pattern}`, 'turn it round');
    }
    ranges.push({ from, to });
    at = last.end;
  }
  return (character) => ranges.some(({ from, to }) => from <= codeOf(character) && codeOf(character) <= to) !== negated;
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** In at most tokens × characters steps: of all stars only the last one is ever tried anew. */
function matches(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0;
  let star: { token: number; at: number } | undefined;
  for (let at = 0; at < characters.length;) {
    const expected = tokens[token];
    if (expected === 'any') {
      star = { token, at };
      token += 1;
    } else if (expected?.one(characters[at] ?? '')) {
      token += 1;
      at += 1;
    } else if (star) {
      star = { token: star.token, at: star.at + 1 };
      token = star.token + 1;
      at = star.at;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === 'any');
}
