import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Moves } from '../../../../shared/job/moves.ts';

function moved(...pairs: readonly (readonly [string, string])[]): Moves {
  const moves = new Moves();
  for (const [from, to] of pairs) moves.add({ from, to });
  return moves;
}

describe('names behind renames', () => {
  it.each<[string, readonly (readonly [string, string])[], string, string]>([
    ['of what was not moved', [['a', 'b']], 'ab/x', 'ab/x'],
    ['of what is in a directory that was', [['a', 'b/c']], 'a/x/y', 'b/c/x/y'],
    [
      'of what was moved out of one before',
      [
        ['a/x', 'y'],
        ['a', 'b'],
      ],
      'a/x/z',
      'y/z',
    ],
    [
      'of what was moved in it after',
      [
        ['a', 'b'],
        ['b/x', 'b/y'],
      ],
      'a/x',
      'b/y',
    ],
    [
      'of a chain',
      [
        ['l2', 'l3'],
        ['l1', 'l2'],
      ],
      'l1',
      'l2',
    ],
  ])('%s', (_, pairs, path, now) => {
    expect(moved(...pairs).after(path)).toBe(now);
    expect(moved(...pairs).before(now)).toBe(path);
  });

  it('lead to nothing where something was moved away, and to what took its place', () => {
    const moves = moved(['a', 'b']);
    expect([moves.before('a'), moves.before('a/x'), moves.before('b/x'), moves.before('c')]).toEqual([
      undefined,
      undefined,
      'a/x',
      'c',
    ]);
    moves.add({ from: 'c', to: 'a' });
    expect(moves.before('a/x')).toBe('c/x');
  });

  it('are those that a tree has which is renamed so', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 8 }), fc.array(fc.tuple(path, path)), (paths, pairs) => {
        // Each entry, under whatever name it has by now.
        let tree = new Map(paths.map((entry) => [entry, entry]));
        const moves = new Moves();
        const isIn = (entry: string, directory: string) => `${entry}/`.startsWith(`${directory}/`);
        for (const [from, to] of pairs) {
          const now = [...tree.keys()];
          const isFree = !now.some((entry) => isIn(entry, to) || isIn(to, entry));
          if (!isFree || !now.some((entry) => isIn(entry, from)) || isIn(to, from) || isIn(from, to)) continue;
          moves.add({ from, to });
          tree = new Map([...tree].map(([at, entry]) => [isIn(at, from) ? to + at.slice(from.length) : at, entry]));
        }
        for (const [at, entry] of tree) {
          expect(moves.after(entry)).toBe(at);
          expect(moves.before(at)).toBe(entry);
        }
      }),
    );
  });
});
