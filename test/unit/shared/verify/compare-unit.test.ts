import { describe, expect, it } from 'vitest';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { compareUnitOf, costOfComparing, listedIn } from '../../../../shared/verify/compare-unit.ts';

const MIB = 1024 * 1024;
const stripe = { dataUnits: 6, cellBytes: MIB } as unknown as NonNullable<FileStatus['stripe']>;
const status: FileStatus = {
  ...{ name: 'f', kind: 'file', lengthBytes: 300 * MIB, modifiedAtMs: 1, accessedAtMs: 0, blockBytes: 128 * MIB },
  ...{ replication: 3, owner: 'root', group: 'users', permission: '644', hasAcl: false, encrypted: false },
  ...{ stripe: undefined, ecPolicy: 'REPLICATION', fileId: 7 },
};
const unitOf = (there: Partial<FileStatus>) =>
  compareUnitOf({ root: 1, path: 'd/f', status, there: { ...status, ...there } });

describe('a unit to compare', () => {
  it.each([
    ['the same', {}],
    ['another inode and time', { fileId: 8, modifiedAtMs: 2 }],
    ['what is not told', { fileId: undefined, ecPolicy: undefined }],
    ['what the source has not', { stripe, storagePolicy: 'COLD' }],
    ['0, false and nothing', { lengthBytes: 0, replication: 0, owner: '', encrypted: true }],
  ])('has both files as they were listed, through JSON: %s at the destination', (_what, changes) => {
    const there = { ...status, ...changes };
    const kept = JSON.parse(JSON.stringify(unitOf(changes))) as ReturnType<typeof unitOf>;
    expect(listedIn(kept)).toEqual({ status, there });
  });

  it('says once what is the same of both', () => {
    expect(unitOf({ fileId: 8 }).destination).toEqual({ fileId: 8 });
    expect(JSON.stringify(unitOf({ fileId: 8, modifiedAtMs: 2 })).length).toBeLessThan(320);
  });

  it.each([
    ['checksum', {}, 2],
    ['read-back', {}, 302],
    ['checksum', { blockBytes: 64 * MIB }, 302],
    ['checksum', { encrypted: true }, 302],
    ['checksum', { stripe }, 302],
  ] as const)('at level %s, with %j at the destination, costs %d MiB', (level, there, cost) => {
    expect(costOfComparing(unitOf(there), level)).toBe(cost * MIB);
  });

  it('of one block on both sides is compared by its stored checksum whatever their sizes', () => {
    const small = { ...status, lengthBytes: 10 };
    const unit = compareUnitOf({ root: 0, path: '', status: small, there: { ...small, blockBytes: 64 * MIB } });
    expect(costOfComparing(unit, 'checksum')).toBe(2 * MIB);
  });
});
