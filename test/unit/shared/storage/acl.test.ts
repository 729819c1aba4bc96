import { describe, expect, it } from 'vitest';
import {
  aclSpec,
  masked,
  modeBeside,
  narrowed,
  narrowedAcl,
  sameAcl,
  withoutAcl,
} from '../../../../shared/storage/acl.ts';

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

describe('a permission that stands for an ACL', () => {
  it.each([
    [
      'takes the group from its entry, not from the mask',
      '660',
      'user::rw-,user:bob:rw-,group::r--,mask::rw-,other::---',
      '640',
    ],
    ['gives the group no more than the mask', '640', 'user::rw-,user:bob:rw-,group::rw-,mask::r--,other::---', '640'],
    ['keeps the sticky bit', '1770', 'user::rwx,user:bob:rwx,group::r-x,mask::rwx,other::---', '1750'],
    [
      'shuts others out where somebody was shut out by name',
      '755',
      'user::rwx,user:bob:---,group::r-x,mask::r-x,other::r-x',
      '700',
    ],
    ['gives others what everybody had', '775', 'user::rwx,user:bob:r--,group::r-x,mask::rwx,other::r-x', '754'],
    ['takes no notice of default entries', '755', 'user::rwx,group::r-x,other::r-x,default:user:bob:---', '755'],
    ['gives the group what others have where the ACL is unknown', '664', undefined, '644'],
  ])('%s', (_what, permission, spec, expected) => {
    expect(withoutAcl(permission, spec)).toBe(expected);
  });
});

describe('rights under another owner or group', () => {
  it.each([
    ['644', { owner: false, group: true }, '644'],
    ['640', { owner: false, group: true }, '600'],
    ['604', { owner: false, group: true }, '600'],
    ['1775', { owner: false, group: true }, '1755'],
    ['077', { owner: true, group: false }, '000'],
    ['640', { owner: true, group: false }, '640'],
    ['640', { owner: false, group: false }, '640'],
  ])('of %s, %j lost, are %s', (permission, lost, expected) => {
    expect(narrowed(permission, lost)).toBe(expected);
  });

  it('of an ACL shrink in its base entries alone', () => {
    const acl = 'user::rw-,other::---,mask::rw-,user:bob:rw-,group::r--,default:group::rwx';
    const lost = { owner: false, group: true };
    expect(narrowedAcl(acl, lost)).toBe('user::rw-,other::---,mask::rw-,user:bob:rw-,group::---,default:group::rwx');
    expect(narrowedAcl(acl, { owner: false, group: false })).toBe(acl);
  });
});

describe('sameAcl', () => {
  it('takes no notice of the order', () => {
    expect(sameAcl('user::rwx,group::r-x', 'group::r-x,user::rwx')).toBe(true);
    expect(sameAcl('user::rwx,group::r-x', 'user::rwx,group::---')).toBe(false);
    expect(sameAcl(undefined, undefined)).toBe(true);
    expect(sameAcl('user::rwx', undefined)).toBe(false);
  });
});

describe('a mode beside an ACL', () => {
  it.each([
    ['user::rwx,group:staff:r-x,group::---,mask::rwx,other::---', true, '1770'],
    ['user::rw-,group::r--,other::---', false, '640'],
  ])('of %s, sticky %s, is %s', (spec, sticky, mode) => {
    expect(modeBeside(spec, sticky)).toBe(mode);
  });

  it.each([
    ['660', '600', '600'],
    ['640', '660', '640'],
    ['1777', '1750', '1757'],
  ])('of %s is held to the mask of %s as %s', (permission, by, mode) => {
    expect(masked(permission, by)).toBe(mode);
  });
});
