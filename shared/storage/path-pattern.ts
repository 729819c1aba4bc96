import { messageOf, SpecError } from '../errors.ts';
import { expandBraces, nameMatcher } from './pattern.ts';

/** What a pattern of relative paths takes along. */
export interface PathPattern {
  /**
   * Whether the pattern matches the path, or a directory that it lies in.
   * @param path  relative, without a slash at either end
   */
  readonly takes: (path: string, isDirectory: boolean) => boolean;
  /** Whether the pattern may take something that lies in the directory. */
  readonly mayTakeBelow: (directory: string) => boolean;
}

/** What one component of a path must be, or any number of them. */
type Step = ((name: string) => boolean) | 'any';

/**
 * A pattern for paths below a directory, in the language of `pattern.ts` with one more word: `**`, as a whole component, stands for any
 * number of directories, and at the end for all that lies in one. Wildcards take hidden names too.
 *
 *     *.tmp      a name, at any depth
 *     a/*.tmp    a path from the root on, as does /*.tmp
 *     a/         a directory of that name
 *
 * A directory that matches takes all that lies in it along. Takes time in proportion to the lengths of pattern and path.
 *
 * @throws SpecError for a pattern that is none
 * @see gitignore for slashes; rclone for `**`
 */
export function pathPattern(pattern: string): PathPattern {
  const alternatives = expandBraces(pattern).map((alternative) => new Steps(alternative, pattern));
  return {
    takes: (path, isDirectory) => {
      const names = path.split('/');
      return alternatives.some((alternative) => alternative.take(names, isDirectory));
    },
    mayTakeBelow: (directory) => {
      const names = directory === '' ? [] : directory.split('/');
      return alternatives.some((alternative) => alternative.mayTakeBelow(names));
    },
  };
}

/** What is wrong with a pattern of paths, in one line; undefined when it is one. */
export function pathFaultOf(pattern: string): string | undefined {
  try {
    pathPattern(pattern);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** One alternative of a pattern. A place is the number of steps that a path has gone; `**` lets it be at several at once. */
class Steps {
  readonly #steps: readonly Step[];
  readonly #directoriesOnly: boolean;

  /** @param pattern  the whole of it, for messages */
  constructor(alternative: string, pattern: string) {
    const components = alternative.split('/').filter(Boolean);
    if (components.length === 0) throw new SpecError(`"${pattern}" names nothing`, 'write a name, or a path');
    const dots = components.find((component) => component === '.' || component === '..');
    if (dots !== undefined) {
      throw new SpecError(`"${pattern}" holds ${dots}`, 'write the path as it goes on below the source');
    }
    const isName = components.length === 1 && !alternative.startsWith('/');
    this.#steps = (isName ? ['**', ...components] : components).map(stepOf);
    this.#directoriesOnly = alternative.endsWith('/');
  }

  take(names: readonly string[], isDirectory: boolean): boolean {
    let places = this.#closed([0]);
    for (const [index, name] of names.entries()) {
      places = this.#after(places, name);
      if (places.length === 0) return false;
      const isWithin = index < names.length - 1;
      if (places.includes(this.#steps.length) && (isWithin || isDirectory || !this.#directoriesOnly)) return true;
    }
    return false;
  }

  mayTakeBelow(names: readonly string[]): boolean {
    let places = this.#closed([0]);
    for (const name of names) places = this.#after(places, name);
    return places.some((place) => place < this.#steps.length);
  }

  #after(places: readonly number[], name: string): readonly number[] {
    const next: number[] = [];
    for (const place of places) {
      const step = this.#steps[place];
      if (step === 'any') {
        next.push(place);
        if (place === this.#steps.length - 1) next.push(place + 1);
      } else if (step?.(name)) next.push(place + 1);
    }
    return this.#closed(next);
  }

  /** With the places behind a `**`, which need not stand for anything unless it is the last step. */
  #closed(places: number[]): readonly number[] {
    const all = new Set(places);
    for (const place of all) {
      if (this.#steps[place] === 'any' && place < this.#steps.length - 1) all.add(place + 1);
    }
    return [...all];
  }
}

function stepOf(component: string): Step {
  if (/^\*{2,}$/.test(component)) return 'any';
  if (!/[*?[{\\]/.test(component)) return (name) => name === component;
  return nameMatcher(component, 'all');
}
