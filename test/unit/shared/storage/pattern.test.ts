import { describe, expect, it } from 'vitest';
import { alternativesOf, hasGlob, nameMatcher } from '../../../../shared/storage/pattern.ts';

describe('nameMatcher', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['*', ['a', 'a.b', 'a b', 'new\nline', '😀', '*', 'n'.repeat(255)], ['.hidden']],
    ['*.txt', ['a.txt', 'a.b.txt'], ['a.txt.gz', 'atxt', '.txt', '.a.txt']],
    ['a*', ['a', 'ab', 'a\nb'], ['ba', 'A']],
    ['*a*b*', ['ab', 'xaxbx'], ['ba']],
    ['?', ['a', '?', '😀', 'é', '\n'], ['', 'ab', '.']],
    ['a?c', ['abc', 'a\nc', 'a😀c'], ['ac', 'abbc']],
    ['??', ['ab', '😀😀'], ['😀', 'a']],
    ['**', ['a', 'a.b'], ['.a']],
    ['a**b', ['ab', 'axxb'], ['a']],
    ['[ab]', ['a', 'b'], ['c', 'ab', '[ab]']],
    ['[a-c]x', ['ax', 'bx', 'cx'], ['dx', '-x']],
    ['[a-]', ['a', '-'], ['b']],
    ['[!a]', ['b', '!', '😀'], ['a', '.']],
    ['[^a]', ['b', '^', '😀'], ['a']],
    ['[!a-c]*', ['d', 'dog'], ['a', 'cat']],
    ['[a!]', ['a', '!'], ['b']],
    ['[a^]', ['a', '^'], ['b']],
    ['[]a]', [']', 'a'], ['b']],
    ['[*?]', ['*', '?'], ['a']],
    ['[.]a', [], ['.a']],
    ['[+$|()]', ['+', '$', '|', '(', ')'], ['\\', 'a']],
    ['[[]a', ['[a'], ['a']],
    ['[\\]]', [']'], ['\\']],
    ['[a\\-z]', ['a', '-', 'z'], ['b', '\\']],
    ['[😀-😂]', ['😁'], ['a', '😃']],
    ['[[]', ['['], ['a']],
    ['[{]x', ['{x'], ['x']],
    ['a]', ['a]'], ['a']],
    ['{a,b}', ['a', 'b'], ['c', '{a,b}', 'a,b']],
    ['{a,b}*.gz', ['a.gz', 'bb.gz'], ['c.gz']],
    ['x{,y}', ['x', 'xy'], ['xx']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'ad']],
    ['{a*,?b}', ['axx', 'xb'], ['xx']],
    ['{x}', ['x'], ['{x}']],
    ['a{b}', ['ab'], ['a{b}']],
    ['{a,b}{c,d}', ['ac', 'bd'], ['ab', 'a']],
    ['{a,{b,a{b,c}}}', ['a', 'b', 'ab', 'ac'], ['c']],
    ['{a[b,c],x}', ['ab', 'ac', 'a,', 'x'], ['a[b']],
    ['{x\\,y}', ['x,y'], ['x', 'y']],
    ['\\{a\\,b\\}', ['{a,b}'], ['a', 'b']],
    ['{.a,b}', ['.a', 'b'], ['a']],
    ['{*,.a}', ['.a', 'b'], ['.b']],
    ['a}', ['a}'], ['a']],
    ['}\\{', ['}{'], ['']],
    ['{}', [''], ['{}']],
    ['a,b', ['a,b'], ['a']],
    ['x{1..3}', ['x1..3'], ['x1', 'x{1..3}']],
    ['(a)', ['(a)'], ['a']],
    ['a(b|c)', ['a(b|c)'], ['ab']],
    ['@(a)', ['@(a)'], ['a']],
    ['+(a)', ['+(a)'], ['a', 'aa']],
    ['!(a)', ['!(a)'], ['b']],
    ['!a', ['!a'], ['b']],
    ['a+', ['a+'], ['a', 'aa']],
    ['a|b', ['a|b'], ['a', 'b']],
    ['a$', ['a$'], ['a']],
    ['^a', ['^a'], ['a']],
    ['a.c', ['a.c'], ['abc']],
    ['"a"*', ['"a"b'], ['ab']],
    ["'*'", ["'x'"], ['x']],
    ['#~%&;=<>`@-', ['#~%&;=<>`@-'], ['x']],
    ['a b', ['a b'], ['ab']],
    ['\\*', ['*'], ['a', '\\*']],
    ['\\[a]', ['[a]'], ['a']],
    ['a\\{b\\}', ['a{b}'], ['ab']],
    ['a\\\\b', ['a\\b'], ['ab']],
    ['\\d\\n', ['dn'], ['5\n']],
    ['.*', ['.a', '.hidden'], ['a']],
    ['.a', ['.a'], ['a']],
    ['\\.a*', ['.ab'], ['ab']],
    ['é*', ['é', 'éa'], ['e']],
    ['a/b', ['a/b'], []],
  ])('%j takes %j and not %j', (pattern, taken, left) => {
    const matches = nameMatcher(pattern, 'not hidden');
    expect(taken.filter((name) => !matches(name))).toEqual([]);
    expect(left.filter((name) => matches(name))).toEqual([]);
  });

  it('matches hidden names as well when told so', () => {
    expect(['.x.csv', 'x.csv', '.csv', 'x'].filter(nameMatcher('*.csv', 'all'))).toEqual(['.x.csv', 'x.csv', '.csv']);
    expect(['.a', 'a'].filter(nameMatcher('[.]a', 'all'))).toEqual(['.a']);
  });

  it.each([
    ['{a,b', 'a { is not closed in {a,b (write \\{'],
    ['a{b,{c}', 'a { is not closed'],
    ['[a', 'a [ is not closed in [a (write \\['],
    ['[]', 'a [ is not closed'],
    ['[!]', 'a [ is not closed'],
    ['[z-a]', 'the range z-a runs backwards'],
    ['a\\', 'ends with a backslash'],
    ['{a,b}'.repeat(20), 'make more than 10000 paths'],
  ])('refuses %j, as Hadoop does or would have to', (pattern, message) => {
    expect(() => nameMatcher(pattern, 'all')).toThrow(message);
  });

  it('does not take long for a pattern with many stars', () => {
    const startedAtMs = performance.now();
    expect(nameMatcher('*a'.repeat(100) + 'b', 'all')('a'.repeat(255))).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });
});

describe('hasGlob', () => {
  it.each([
    ['/a/b', false],
    ['/a/*', true],
    ['/a?', true],
    ['/[ab]', true],
    ['/{a,b}', true],
    ['/a\\*b', false],
    ['/a\\\\*', true],
    ['/a]b}', false],
    ['/a+(b)|$', false],
    ['/new\nline', false],
  ])('of %j is %s', (path, expected) => {
    expect(hasGlob(path)).toBe(expected);
  });
});

describe('alternativesOf', () => {
  it.each<[string, string[]]>([
    ['/plain/back\\slash', ['/plain/back\\slash']],
    ['/{2024/01,2025/02}', ['/2024/01', '/2025/02']],
    ['/{a/{b,c},d}/x', ['/a/b/x', '/a/c/x', '/d/x']],
    ['/{x}', ['/x']],
    ['/a{,/b}', ['/a', '/a/b']],
    ['/{a,b}/*', ['/a/*', '/b/*']],
    ['/\\{a,b\\}', ['/\\{a,b\\}']],
  ])('of %j are %j', (path, alternatives) => {
    expect(alternativesOf(path).paths).toEqual(alternatives);
  });
});
