import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wholeMatcher } from '../../../../shared/storage/regular-expression.ts';

describe('an expression matches whole texts', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['.*/\\.Trash/.*', ['/u/.Trash/x', '/.Trash/'], ['/u/.Trash', '/u/xTrash/x']],
    ['.*\\.tmp', ['/a/b.tmp', '.tmp'], ['/a/b.tmpx', '/a/btmp']],
    ['^/data/(tmp|_logs)(/.*)?$', ['/data/tmp', '/data/_logs/x/y'], ['/data/tmpx', '/x/data/tmp']],
    ['^a$|^b$', ['a', 'b'], ['ab', '^a$']],
    ['.*/dt=20(1\\d|2[0-3])-\\d{2}-\\d{2}/.*', ['/x/dt=2019-01-31/f', '/dt=2023-12-01/'], ['/x/dt=2024-01-31/f']],
    ['[^/]+', ['abc', 'é😀'], ['a/b', '']],
    ['[a-c_.-]*', ['a-b_c.', ''], ['d']],
    ['[]a]+', [']', 'a]'], ['b']],
    ['[\\w&]', ['&', 'w'], ['-']],
    ['[\\d\\-x]+', ['1-x'], ['y']],
    ['a{2}b{1,2}c{2,}d??', ['aabcc', 'aabbcccd'], ['abcc', 'aabbbcc', 'aabc']],
    ['(?<year>\\d{4})|(?:x)', ['2024', 'x'], ['20245']],
    ['\\Qa.b*\\E.*', ['a.b*', 'a.b*c'], ['axb']],
    ['(?i).*\\.CSV', ['a.csv', 'A.Csv'], ['a.cs']],
    ['(?i)[a-f]É', ['CÉ'], ['Cé']],
    ['.', ['a', '😀'], ['\n', '\u2028', 'ab']],
    ['\\S\\s\\D\\W', ['a x-'], ['    ', 'a 1-']],
    ['\\x2e\\u002f\\t', ['./\t'], ['x/\t']],
    ['', [''], ['a']],
    ['a||b', ['a', '', 'b'], ['ab']],
    ['()*x', ['x'], ['']],
    ['#.*', ['# no comment'], ['x']],
    ['((((){9999}){9999}){9999}){9999}x', ['x'], ['']],
    ['((((){0,9999}){0,9999}){0,9999}){0,9999}x', ['x'], ['']],
    ['(((a{0}){9999}){9999}){9999,}', [''], ['a']],
  ])('%j', (expression, whole, others) => {
    const matches = wholeMatcher(expression);
    expect(whole.filter((text) => !matches(text))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it('as the expressions of JavaScript do, where both mean the same', () => {
    const part = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '(a|b)', '(?:ab|a)', '(a*b)', '(|b)');
    const times = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{1,}', '*?');
    const sequence = fc
      .array(
        fc.tuple(part, times).map((both) => both.join('')),
        { maxLength: 4 },
      )
      .map((all) => all.join(''));
    const expressions = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((all) => all.join('|'));
    const texts = fc.array(fc.constantFrom('a', 'b', '1', '/'), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(expressions, fc.array(texts, { minLength: 5, maxLength: 5 }), (expression, some) => {
        const [ours, theirs] = [wholeMatcher(expression), new RegExp(`^(?:${expression})$`, 'u')];
        for (const text of some) expect(ours(text), `${expression} of ${text}`).toBe(theirs.test(text));
      }),
      { numRuns: 2000, seed: 7 },
    );
  });
});

it.each([
  ['(', 'a ( that is not closed'],
  ['a)', 'a ) that opens nothing'],
  ['[a', 'a [ that is not closed'],
  ['[z-a]', 'runs backwards'],
  ['*a', 'a * that repeats nothing'],
  ['a**', 'a repetition of a repetition'],
  ['a++', 'a possessive repetition'],
  ['a{2,1}', 'a { that counts nothing'],
  ['a{x}', 'a { that counts nothing'],
  ['(?=a)', 'begins with (?'],
  ['(?!a)b', 'begins with (?'],
  ['(?<=a)b', 'begins with (?'],
  ['(?>a)', 'begins with (?'],
  ['a(?i)b', 'begins with (?'],
  ['(a)\\1', '\\1'],
  ['\\bword', '\\b'],
  ['\\p{Lu}', '\\p'],
  ['[a-z&&[^x]]', 'a class within a class'],
  ['[a[bc]]', 'a class within a class'],
  ['a^b', '^ within'],
  ['a$b', '$ within'],
  ['a\\', '\\,'],
  ['\\xg1', '\\x without its digits'],
  ['((a{500}){500}){500}', 'is too large'],
  ['('.repeat(200), 'too many groups'],
])('%j is refused: %s', (expression, why) => {
  expect(() => wholeMatcher(expression)).toThrow(why);
});

it.each(['(a+)+b', '(a|a)*b', '(.*a){20}', '([a-z]+)*\\d', '(a?){30}a{30}'])(
  '%s, on which others never end, ends',
  (expression) => {
    expect(wholeMatcher(expression)('a'.repeat(20_000).concat('!'))).toBe(false);
  },
);
