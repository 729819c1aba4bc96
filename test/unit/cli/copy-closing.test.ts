import { expect, it, vi } from 'vitest';
import { copy } from '../../../cli/copy.ts';
import { exitCodes } from '../../../cli/exit-codes.ts';
import type { CopyFlags } from '../../../cli/options.ts';
import { SpecError } from '../../../shared/errors.ts';

const close = vi.hoisted(() => vi.fn<() => Promise<void>>());
vi.mock('../../../cli/clusters.ts', () => ({
  endpointsOf: () =>
    Promise.resolve({
      get patterns() {
        throw new SpecError('the source is wrong');
      },
      [Symbol.asyncDispose]: close,
    }),
}));

it('tells why a copy ended before it closes the clusters, and nothing else when that fails', async () => {
  const told: string[] = [];
  const writing = vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  close.mockImplementation(() => {
    told.push('closed');
    return Promise.reject(new Error('a token could not be cancelled'));
  });
  const flags = { src: 'a:/in', dest: 'b:/out', json: false, verbose: 0 } as unknown as CopyFlags;
  const code = await copy(['a:/in', 'b:/out'], flags, new Map());
  writing.mockRestore();
  expect(told).toEqual(['hdfs-fanout: the source is wrong\n', 'closed']);
  expect(code).not.toBe(exitCodes.success);
});
