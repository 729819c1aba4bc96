import { describe, expect, it } from 'vitest';
import { type Attribute, attributeNames } from '../../../../shared/preserve/attributes.ts';
import type { FileStatus, Storage } from '../../../../shared/storage/storage.ts';
import { comparable, driftOf } from '../../../../shared/verify/drift.ts';
import { never } from '../../../support/files.ts';
import { status } from '../../../support/statuses.ts';

/** A cluster that keeps one ACL and these extended attributes and quotas of everything. */
const cluster = (xattrs: readonly [string, string][] = [], quotas: readonly [string, number][] = []) =>
  ({
    name: 'cluster',
    hadoop: {
      acl: () => Promise.resolve('user:eva:r--'),
      xattrs: () => Promise.resolve(new Map(xattrs)),
      quotaUsage: () => Promise.resolve({ quotas: new Map(quotas), used: new Map() }),
    },
  }) as unknown as Storage;

/** What the destination has in place of what the source has. */
const differing: Record<Attribute, readonly [Partial<FileStatus>, Partial<FileStatus>]> = {
  owner: [{ owner: 'eva' }, { owner: 'root' }],
  group: [{ group: 'users' }, { group: 'supergroup' }],
  permission: [{ permission: '640' }, { permission: '644' }],
  times: [{ modifiedAtMs: 1 }, { modifiedAtMs: 2 }],
  replication: [{ replication: 3 }, { replication: 1 }],
  blocksize: [{ blockBytes: 1024 }, { blockBytes: 2048 }],
  acl: [{ hasAcl: true }, {}],
  xattr: [{}, {}],
  ecpolicy: [
    { kind: 'directory', ecPolicy: 'RS-6-3-1024k' },
    { kind: 'directory', ecPolicy: 'REPLICATION' },
  ],
  storagepolicy: [
    { kind: 'directory', storagePolicy: 'COLD' },
    { kind: 'directory', storagePolicy: 'HOT' },
  ],
  quota: [{ kind: 'directory' }, { kind: 'directory' }],
};

function drift(name: Attribute, [ofSource, ofDestination]: readonly [Partial<FileStatus>, Partial<FileStatus>]) {
  const [source, destination] = [
    cluster(name === 'xattr' ? [['user.a', '1']] : [], name === 'quota' ? [['names', 5]] : []),
    cluster(),
  ];
  const entry = { source, sourcePath: '/a', status: status(ofSource) };
  const other = { destination, destinationPath: '/b', there: status(ofDestination) };
  return driftOf({ ...entry, ...other }, comparable(new Set([name]), source, destination), never);
}

describe('an attribute that differs', () => {
  it.each(attributeNames)('is told: %s', async (name) => {
    expect(Object.keys(await drift(name, differing[name]))).toEqual([name]);
    const [same] = differing[name];
    expect(name === 'xattr' || name === 'quota' ? {} : await drift(name, [same, same])).toEqual({});
  });

  it('is a storage policy that the destination has none in place of, and not one that the source does not name', async () => {
    const [named, none] = [{ kind: 'directory', storagePolicy: 'COLD' } as const, { kind: 'directory' } as const];
    expect(await drift('storagepolicy', [named, none])).toEqual({ storagepolicy: ['COLD', 'none'] });
    expect(await drift('storagepolicy', [none, named])).toEqual({});
  });
});
