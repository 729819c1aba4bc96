import { expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');

test.each([
  ['after the rename took place', 'cut-after', {}],
  ['before the rename took place', 'cut-before', {}],
  ['after the rename took place, over an existing file', 'cut-after', { force: true }],
  ['before the rename took place, over an existing file', 'cut-before', { force: true }],
] as const)(
  'a RENAME whose answer is lost %s is found out and counted once',
  async (_, reaction, { force = false }: { force?: boolean }) => {
    const pair = await TwoClusters.make(bed, `rename-${reaction}-${force}`);
    const { root, a, b } = pair;
    for (let i = 0; i < 12; i++) {
      await a.put(`${root}/tree/f${i}`, content(`${i}`, 30_000));
      if (force) await b.put(`${root}/tree/f${i}`, content(`old ${i}`, 20_000));
    }
    const cut = new Set<string>();
    await using faultProxy = await FaultProxy.start(bed.b, {
      react: ({ operation, path }) => {
        if (operation !== 'RENAME' || cut.has(path)) return undefined;
        cut.add(path);
        return reaction;
      },
    });
    const conf = pair.conf({ B: { url: faultProxy.url } });
    const flags = force ? ['--force', '--exact'] : [];
    const { code, status, stderr } = await pair.run(
      ['copy', '--silent', ...flags, `A:${root}/tree`, `B:${root}/tree`],
      { conf },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': 12, 'Files Failed': 0, 'Files Skipped': 0, Retries: 0 });
    expect(cut.size).toBe(12);
    expect(faultProxy.count('RENAME')).toBe(reaction === 'cut-after' ? 12 : 24);
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  },
);
