import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  basename,
  encodePath,
  isWithin,
  join,
  normalize,
  parentOf,
  snapshotPath,
} from '../../../../shared/storage/path.ts';

/** Strings of any code points; those around the surrogates and the end of ASCII more often. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom('a', '~', '\u007f', '\u0080', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'),
    maxLength: 4,
  }),
);

describe('encodePath', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/', '/'],
    ['/dt=2024-01-01/x', '/dt=2024-01-01/x'],
    ['/a b', '/a%20b'],
    ['/100%', '/100%25'],
    ['/%25', '/%2525'],
    ['/a+b', '/a%2Bb'],
    ['/a?b#c&d;e,f', '/a%3Fb%23c%26d%3Be%2Cf'],
    ['/a\\b', '/a%5Cb'],
    ['/new\nline', '/new%0Aline'],
    ['/é😀', '/%C3%A9%F0%9F%98%80'],
  ])('encodes %j', (path, encoded) => {
    expect(encodePath(path)).toBe(encoded);
  });

  it('loses nothing of any name', () => {
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const path = `/${names.join('/')}`;
        expect(decodeURIComponent(encodePath(path))).toBe(path);
      }),
    );
  });
});

describe('normalize', () => {
  it.each([
    ['/', '/'],
    ['', '/'],
    ['a/b', '/a/b'],
    ['/a//b///c', '/a/b/c'],
    ['/a/./b/.', '/a/b'],
    ['/a/b/../c', '/a/c'],
    ['/a/../..', '/'],
    ['/../a', '/a'],
    ['/a/b/', '/a/b'],
    ['/a/.../..b', '/a/.../..b'],
    ['/a\\/b', '/a\\/b'],
  ])('makes %j %j', (path, normal) => {
    expect(normalize(path)).toBe(normal);
    expect(normalize(normal)).toBe(normal);
  });
});

describe('join, parentOf, basename', () => {
  it.each([
    ['/a/b', '/a', 'b'],
    ['/a', '/', 'a'],
  ])('take %s apart and put it together', (path, parent, base) => {
    expect([parentOf(path), basename(path)]).toEqual([parent, base]);
    expect(join(parent, base)).toBe(path);
  });

  it('leave the root and an empty name as they are', () => {
    expect(parentOf('/')).toBe('/');
    expect(join('/a', '')).toBe('/a');
    expect(join('/', '')).toBe('/');
  });
});

describe('isWithin', () => {
  it.each([
    ['/a', '/a', true],
    ['/a/b', '/a', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['/a', '/', true],
    ['/', '/', true],
    ['/', '/a', false],
  ])('says of %s within %s: %s', (path, ancestor, expected) => {
    expect(isWithin(path, ancestor)).toBe(expected);
  });
});

describe('snapshotPath', () => {
  it.each([
    ['/data', 's1', 'a/b', '/data/.snapshot/s1/a/b'],
    ['/data', 's1', '', '/data/.snapshot/s1'],
    ['/', 's1', 'a', '/.snapshot/s1/a'],
  ])('of %s in %s: %s', (root, name, below, path) => {
    expect(snapshotPath(root, name, below)).toBe(path);
  });
});
