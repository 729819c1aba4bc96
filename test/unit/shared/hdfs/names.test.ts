import { describe, expect, it } from 'vitest';
import { refusalOfListedName, unreadableInHdfs, unwritableInHdfs } from '../../../../shared/hdfs/names.ts';
import { quotedNameBytes } from '../../../../shared/hdfs/name-limits.ts';
import { oddNames } from '../../../support/odd-tree.ts';

describe('refusalOfListedName', () => {
  it.each(['', '.', '..', '/', '/a', 'a/', 'a/b', '../a', 'a/../b', '\0', 'a\0', '\ud800', 'a\udc00b'])(
    'refuses %j',
    (name) => {
      expect(refusalOfListedName(name)).toBeTypeOf('string');
    },
  );

  it.each([...oddNames, '...', '..a', 'a..', '.a', 'a:b', '\\', '\u0001', '\ufffd', '.snapshot', '.reserved'])(
    'takes %j',
    (name) => {
      expect(refusalOfListedName(name)).toBeUndefined();
    },
  );
});

describe('unwritableInHdfs', () => {
  it.each([
    ['/a:b', '":"'],
    ['/a/b:/c', '":"'],
    ['/a/.snapshot', 'read-only'],
    ['/a/.snapshot/s/x', 'read-only'],
    ['/.reserved', 'belongs to HDFS'],
    ['/.reserved/.inodes/1', 'belongs to HDFS'],
    ['/.reserved/raw/a', 'raw.*'],
    ['/a\0', 'NUL'],
    ['/\ud800', 'Unicode'],
    [`/a/${'n'.repeat(256)}/x`, '256 bytes, and the cluster takes at most 255'],
    [`/${'é'.repeat(128)}`, '256 bytes'],
    [`/${'😀'.repeat(64)}`, '256 bytes'],
    [`/${'d'.repeat(200)}`.repeat(40), '8000 characters'],
    ['/d'.repeat(1001), '1000 levels'],
  ])('of %j says why', (path, says) => {
    expect(unwritableInHdfs(path, 255)).toContain(says);
  });

  it.each([
    ['/', 255],
    [`/a/${'n'.repeat(255)}`, 255],
    [`/${'é'.repeat(127)}`, 255],
    [`/${'n'.repeat(5000)}`, Infinity],
    ['/d'.repeat(1000), 255],
    ['/a/.reserved/x', 255],
    ['/a/.snapshots/.snapshot.x', 255],
    ...oddNames.map((name) => [`/a/${name}`, 255] as const),
  ] as const)('of %j says nothing', (path, limit) => {
    expect(unwritableInHdfs(path, limit)).toBeUndefined();
  });
});

describe('unreadableInHdfs', () => {
  it.each([
    ['/.reserved', true],
    ['/.reserved/raw', true],
    ['/.reserved/.inodes/16385/x', true],
    ['/.reserved2', false],
    ['/a/.reserved/raw', false],
    ['/a/.snapshot/s', false],
    ['/', false],
  ])('of %j: %s', (path, refused) => {
    expect(unreadableInHdfs(path) !== undefined).toBe(refused);
  });
});

describe('quotedNameBytes', () => {
  it.each([
    [
      'PathComponentTooLongException: The maximum path component name limit of nn\nn in directory /t is exceeded: limit=255 length=2000',
      255,
    ],
    ['SnapshotException: Directory is not a snapshottable directory: /t', undefined],
    ['The directory item limit of /x is exceeded: limit=5 items=5', undefined],
  ])('of %j is %s', (message, bytes) => {
    expect(quotedNameBytes(message)).toBe(bytes);
  });
});
