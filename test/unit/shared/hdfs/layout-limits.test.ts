import { describe, expect, it } from 'vitest';
import { LayoutLimits } from '../../../../shared/hdfs/layout-limits.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';

const refusal = (message: string) =>
  new StorageError('limit', 'IOException', message, { operation: 'CREATE', path: '/f' });

describe('layouts that a cluster takes', () => {
  it.each([
    ['Requested replication factor of 5 exceeds maximum of 2 for /f, clientName=x', [3, 512], [2, 512]],
    ['Requested replication factor of 1 is less than the required minimum of 2 for /f', [1, 512], [2, 512]],
    [
      'Specified block size 512 is less than configured minimum value dfs.namenode.fs-limits.min-block-size=1024',
      [3, 1023],
      [3, 1024],
    ],
    ['Invalid values: dfs.bytes-per-checksum (=512) must divide block size (=1025).', [3, 512], [3, 1024]],
  ])('are learnt from "%s"', (message, [replication, blockBytes], [within, block]) => {
    const limits = new LayoutLimits();
    const sent = { replication, blockBytes };
    expect(limits.within('c', sent)).toEqual({ ...sent, refused: [] });
    expect(limits.learn('c', refusal(message), sent)).toBe(true);
    const { refused, ...left } = limits.within('c', sent);
    expect(refused).toHaveLength(1);
    const other = refused[0]?.attribute === 'replication' ? { blockBytes } : { replication };
    expect(left).toEqual({ replication: undefined, blockBytes: undefined, ...other });
    const fine = { replication: within, blockBytes: block };
    expect(limits.within('c', fine)).toEqual({ ...fine, refused: [] });
    expect(limits.within('other', sent).refused).toEqual([]);
  });

  it('are not learnt from another refusal, or one of what was not sent', () => {
    const limits = new LayoutLimits();
    const full = refusal('The directory item limit of / is exceeded: limit=5 items=5');
    expect(limits.learn('c', full, { replication: 3, blockBytes: 512 })).toBe(false);
    const high = refusal('Requested replication factor of 5 exceeds maximum of 2 for /f');
    expect(limits.learn('c', high, { replication: undefined, blockBytes: 512 })).toBe(false);
  });
});
