import { describe, expect, it } from 'vitest';
import { type JsonStatus, statusOf } from '../../../../shared/hdfs/file-status.ts';

const json: JsonStatus = {
  pathSuffix: 'f',
  type: 'FILE',
  length: 1,
  modificationTime: 2,
  accessTime: 3,
  blockSize: 4,
  replication: 1,
  owner: 'root',
  group: 'supergroup',
  permission: '644',
};

describe('the permission of a listing entry', () => {
  it.each([
    ['644', '644'],
    ['0', '0'],
    ['0644', '644'],
    ['01777', '1777'],
    ['100640', '640'],
    ['4755', '755'],
  ])('%s is %s', (permission, expected) => {
    expect(statusOf({ ...json, permission }, 'f').permission).toBe(expected);
  });
});

describe('the erasure coding of a listing entry', () => {
  const stripe = { cellBytes: 1024 * 1024, dataUnits: 6 };
  const policy = { cellSize: 1024 * 1024, numDataUnits: 6 };

  it.each<[string, Partial<JsonStatus>, object]>([
    ['is absent', {}, { stripe: undefined, encrypted: false, replication: 1 }],
    ['is told by the policy', { ecBit: true, ecPolicyObj: policy }, { stripe, encrypted: false }],
    ['is told by the policy, whatever its name', { ecPolicyObj: policy, ecPolicy: 'XOR-2-1-64k' }, { stripe }],
    ['is told by its name', { ecBit: true, ecPolicy: 'RS-6-3-1024k' }, { stripe, encrypted: false }],
    ['may be XOR', { ecPolicy: 'XOR-2-1-64k' }, { stripe: { cellBytes: 65_536, dataUnits: 2 } }],
    ['may have dashes in its codec', { ecPolicy: 'RS-LEGACY-6-3-1024k' }, { stripe }],
    [
      'is no checksum that can be computed where it is only a bit',
      { ecBit: true },
      { encrypted: true, replication: 0 },
    ],
    ['is unknown under another name', { ecBit: true, ecPolicy: 'mine' }, { stripe: undefined, encrypted: true }],
  ])('%s', (_what, more, expected) => {
    expect(statusOf({ ...json, ...more }, 'f')).toMatchObject(expected);
  });
});
