import { describe, expect, it } from 'vitest';
import { hasGlob, nameMatcher } from '../../../../shared/copy/glob.ts';

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
    ['[a', ['[a'], ['a']],
    ['a]', ['a]'], ['a']],
    ['{a,b}', ['a', 'b'], ['c', '{a,b}', 'a,b']],
    ['{a,b}*.gz', ['a.gz', 'bb.gz'], ['c.gz']],
    ['x{,y}', ['x', 'xy'], ['xx']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'ad']],
    ['{a*,?b}', ['axx', 'xb'], ['xx']],
    ['{a,b', ['{a,b'], ['a']],
    ['a}', ['a}'], ['a']],
    ['}{', ['}{'], ['']],
    ['a,b', ['a,b'], ['a']],
    ['x{1..3}', ['x1', 'x2'], ['x4', 'x{1..3}']],
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
    ['a\\', ['a\\'], ['a']],
    ['.*', ['.a', '.hidden'], ['a']],
    ['.a', ['.a'], ['a']],
    ['\\.a*', ['.ab'], ['ab']],
    ['é*', ['é', 'éa'], ['e']],
    ['a/b', ['a/b'], []],
  ])('%j takes %j and not %j', (pattern, taken, left) => {
    const matches = nameMatcher(pattern);
    expect(taken.filter((name) => !matches(name))).toEqual([]);
    expect(left.filter((name) => matches(name))).toEqual([]);
  });

  it('matches nothing with a range that runs backwards', () => {
    expect(['a', 'm', 'z', '[z-a]'].filter(nameMatcher('[z-a]'))).toEqual([]);
  });

  it('does not take long for a pattern with many stars', () => {
    const startedAtMs = performance.now();
    expect(nameMatcher('*a*a*a*a*a*a*a*b')('a'.repeat(200))).toBe(false);
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
