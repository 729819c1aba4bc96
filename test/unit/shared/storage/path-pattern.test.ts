import { describe, expect, it } from 'vitest';
import { pathFaultOf, pathPattern } from '../../../../shared/storage/path-pattern.ts';

describe('a pattern takes', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['*.tmp', ['a.tmp', 'x/y/a.tmp', '.tmp', 'dir.tmp/below/it'], ['a.tmp2', 'tmp']],
    ['_logs', ['_logs', 'x/_logs', 'x/_logs/deep/file'], ['_logs2', 'x/a_logs']],
    ['/*.csv', ['a.csv', 'out.csv/part-0'], ['x/a.csv']],
    ['a/*.csv', ['a/b.csv', 'a/b.csv/part-0'], ['x/a/b.csv', 'a/x/b.csv', 'b.csv']],
    ['/a', ['a', 'a/b'], ['b/a']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'b/a/c']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z', 'a/z/below'], ['z', 'b/a/z']],
    ['**/a/b', ['a/b', 'x/y/a/b', 'a/b/c'], ['a/x/b']],
    ['**', ['a', 'a/b'], []],
    ['x**y', ['xy', 'x12y', 'a/xzy'], ['x/y']],
    ['{a,b/c}', ['a', 'x/a', 'b/c'], ['x/b/c', 'c']],
    ['dt=2024-0[1-3]/*', ['dt=2024-02/f'], ['dt=2024-04/f', 'x/dt=2024-02/f']],
    ['?', ['😀', 'a/é'], ['ab']],
    ['\\*', ['*', 'a/*'], ['a']],
    ['a b,c', ['a b,c', 'x/a b,c'], ['a b']],
    ['-rf', ['-rf'], []],
    ['100%', ['100%'], ['100']],
    ['two\nlines', ['two\nlines', 'a/two\nlines'], ['two']],
  ])('%j', (pattern, taken, others) => {
    const { takes } = pathPattern(pattern);
    expect(taken.filter((path) => !takes(path, false))).toEqual([]);
    expect(others.filter((path) => takes(path, false))).toEqual([]);
  });

  it('with a slash at its end directories only, and what lies in them', () => {
    const { takes } = pathPattern('tmp/');
    expect([takes('tmp', true), takes('x/tmp', true), takes('tmp', false)]).toEqual([true, true, false]);
    expect(takes('x/tmp/file', false)).toBe(true);
  });
});

it.each<[string, readonly string[], readonly string[]]>([
  ['*.csv', ['', 'a', 'a/b'], []],
  ['2024/*/x', ['', '2024', '2024/01'], ['2025', 'x/2024', '2024/01/y']],
  ['a/**/z', ['', 'a', 'a/b', 'a/b/c'], ['b', 'b/a']],
  ['a/**', ['', 'a', 'a/b'], ['b']],
  ['{a,b/c}/x', ['', 'a', 'b', 'b/c'], ['c', 'a/b']],
])('%j may take something below', (pattern, directories, others) => {
  const { mayTakeBelow } = pathPattern(pattern);
  expect(directories.filter((path) => !mayTakeBelow(path))).toEqual([]);
  expect(others.filter((path) => mayTakeBelow(path))).toEqual([]);
});

it.each([
  ['a[', 'a [ is not closed'],
  ['{a', 'a { is not closed'],
  ['a\\', 'ends with a backslash'],
  ['../a', 'holds ..'],
  ['./a', 'holds .'],
  ['/', 'names nothing'],
  ['{a,}', 'names nothing'],
])('%j is none: %s', (pattern, fault) => {
  expect(pathFaultOf(pattern)).toContain(fault);
});

it('needs no more time for a hostile pattern', () => {
  const pattern = `${'**/*a*/'.repeat(30)}z`;
  const path = 'aaaa/'.repeat(200).slice(0, -1);
  expect(pathPattern(pattern).takes(path, false)).toBe(false);
});
