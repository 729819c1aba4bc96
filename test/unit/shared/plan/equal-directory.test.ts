import { expect, it } from 'vitest';
import { isEqualDirectory } from '../../../../shared/plan/settled.ts';
import type { Attribute } from '../../../../shared/preserve/attributes.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';

const directory: FileStatus = {
  name: 'd',
  kind: 'directory',
  lengthBytes: 0,
  modifiedAtMs: 1000,
  accessedAtMs: 0,
  blockBytes: 0,
  replication: 0,
  owner: 'etl',
  group: 'etl',
  permission: '755',
  hasAcl: false,
  encrypted: false,
  stripe: undefined,
  fileId: undefined,
};
const times: Attribute[] = ['times'];

it.each<[string, Attribute[], FileStatus | undefined, boolean]>([
  ['the same', ['owner', 'group', 'permission', 'times', 'acl'], directory, true],
  ['absent', times, undefined, false],
  ['a file', times, { ...directory, kind: 'file' }, false],
  ['of another time', times, { ...directory, modifiedAtMs: 1001 }, false],
  ['of another time that nobody carries over', ['owner'], { ...directory, modifiedAtMs: 1001 }, true],
  ['of another owner', ['owner'], { ...directory, owner: 'root' }, false],
  ['of another mode', ['permission'], { ...directory, permission: '750' }, false],
  ['one with an ACL, which no listing tells', ['acl'], { ...directory, hasAcl: true }, false],
  ['of another policy', ['ecpolicy'], { ...directory, ecPolicy: 'XOR-2-1-1024k' }, false],
  ['of another storage policy', ['storagepolicy'], { ...directory, storagePolicy: 'COLD' }, false],
  ['one of which extended attributes are carried over', ['xattr'], directory, false],
  ['one of which quotas are carried over', ['quota'], directory, false],
  ['one of which all is carried over', [], directory, false],
])('a directory whose namesake is %s', (_, attributes, destination, isEqual) => {
  expect(isEqualDirectory(directory, destination, { preserve: true, attributes })).toBe(isEqual);
});
