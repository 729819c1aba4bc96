import { describe, expect, it } from 'vitest';
import { aclSpec } from '../../../../shared/hdfs/acl.ts';

describe('aclSpec', () => {
  it.each<[string, string[], string, string | undefined]>([
    ['is nothing where there are only permission bits', [], '644', undefined],
    [
      'takes the mask from the middle digit',
      ['user:bob:rwx', 'group::r-x'],
      '750',
      'user::rwx,other::---,mask::r-x,user:bob:rwx,group::r-x',
    ],
    [
      'leaves the sticky bit to the permission',
      ['user:bob:r--', 'group::r--'],
      '1754',
      'user::rwx,other::r--,mask::r-x,user:bob:r--,group::r--',
    ],
    [
      'takes the group from the middle digit where all entries are defaults',
      ['default:user::rwx', 'default:group::r-x', 'default:other::---'],
      '740',
      'user::rwx,other::---,group::r--,default:user::rwx,default:group::r-x,default:other::---',
    ],
    [
      'fills in leading zeros',
      ['user:bob:r--', 'group::---'],
      '40',
      'user::---,other::---,mask::r--,user:bob:r--,group::---',
    ],
  ])('%s', (_what, entries, permission, expected) => {
    expect(aclSpec({ entries, permission })).toBe(expected);
  });

  it.each([
    ['0', '---'],
    ['1', '--x'],
    ['2', '-w-'],
    ['3', '-wx'],
    ['4', 'r--'],
    ['5', 'r-x'],
    ['6', 'rw-'],
    ['7', 'rwx'],
  ])('spells the digit %s as %s', (digit, symbols) => {
    const spec = aclSpec({ entries: ['user:bob:---', 'group::---'], permission: digit.repeat(3) });
    expect(spec).toContain(`user::${symbols},other::${symbols},mask::${symbols}`);
  });
});
