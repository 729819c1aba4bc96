import { expect, it } from 'vitest';
import { crossings } from '../../../../shared/plan/crossings.ts';

const rootsOf = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([source, destination]) => ({ source, destination, kind: 'directory' as const }));

it.each<[string, [string, string][], [string, string][]]>([
  [
    'two that change places',
    [
      ['/a', '/b'],
      ['/b', '/a'],
    ],
    [
      ['/a', '/b'],
      ['/b', '/a'],
    ],
  ],
  [
    'a chain',
    [
      ['/a', '/b'],
      ['/b', '/c'],
    ],
    [['/a', '/b']],
  ],
  [
    'one into what another reads',
    [
      ['/a', '/b/new'],
      ['/b', '/c'],
    ],
    [['/a', '/b']],
  ],
  [
    'one over what another reads, beside names that come between',
    [
      ['/a', '/b'],
      ['/b-c/d', '/c'],
      ['/b.d', '/d'],
      ['/b/x/y', '/e'],
    ],
    [['/a', '/b/x/y']],
  ],
  [
    'one over all',
    [
      ['/a', '/'],
      ['/x', '/y'],
    ],
    [['/a', '/x']],
  ],
  [
    'two copies of one source into it',
    [
      ['/a', '/b'],
      ['/a', '/a/b'],
    ],
    [['/a', '/a']],
  ],
  [
    'none',
    [
      ['/a', '/b'],
      ['/bc', '/d'],
      ['/a/x', '/bd'],
    ],
    [],
  ],
  [
    'none of those that are flattened into one place',
    [
      ['/out/a', '/out'],
      ['/out/b', '/out'],
    ],
    [],
  ],
])('%s', (_, pairs, found) => {
  const all = [...crossings(rootsOf(pairs))].map(([root, read]) => [root.source, read.source]);
  expect(all).toEqual(found);
});

it('are as they are when each is held against each', () => {
  const names = ['', '/a', '/b', '/a/b', '/a-b', '/a/b/c', '/b/a', '/a.b'];
  const roots = rootsOf(
    names.flatMap((from, one) =>
      names.map((_, other) => [`/in${from}`, `/in${names[(one * 3 + other) % 8]}/${one}${other}`] as const),
    ),
  );
  const isIn = (path: string, above: string) => `${path}/`.startsWith(`${above}/`);
  const meets = (path: string, other: string) => isIn(path, other) || isIn(other, path);
  const slow = roots.filter((root) => roots.some((read) => read !== root && meets(root.destination, read.source)));
  expect(new Set([...crossings(roots)].map(([root]) => root))).toEqual(new Set(slow));
  expect(slow.length).toBeGreaterThan(0);
});
