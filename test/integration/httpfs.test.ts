import { describe, expect, inject, test } from 'vitest';
import { content, makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');

describe('a tree with every odd name, copied', () => {
  test.each([
    { how: 'from an HttpFS', from: 'A', to: 'B' },
    { how: 'to an HttpFS', from: 'B', to: 'A' },
    { how: 'from an HttpFS to the same HttpFS', from: 'A', to: 'A' },
  ] as const)('$how, is the same byte for byte, also where files are overwritten', async ({ how, from, to }) => {
    const pair = await TwoClusters.make(bed, how.replaceAll(' ', '-'));
    const { root, a, b } = pair;
    const [source, destination] = [from === 'A' ? a : b, to === 'A' ? a : b];
    await makeOddTree(source, `${root}/tree`);
    const expected = await source.tree(`${root}/tree`);
    const conf = pair.conf({ A: { url: bed.httpFs } });
    const copy = (...flags: string[]) =>
      pair.run(['copy', '--silent', ...flags, '--exact', `${from}:${root}/tree`, `${to}:${root}/copy`], { conf });

    const first = await copy();
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await destination.tree(`${root}/copy`)).toEqual(expected);
    const files = Object.keys(expected).filter((path) => !path.endsWith('/')).length;
    // Empty files have no content to verify.
    expect(first.status).toMatchObject({ 'Files Copied': files, Retries: 0, Verified: { checksum: files } });

    await destination.put(`${root}/copy/back\\slash`, 'another length');
    await destination.put(`${root}/copy/lengths/${5 * 1024 * 1024 + 77}`, content('other', 5 * 1024 * 1024 + 77));
    const second = await copy('--force');
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' });
    expect(second.status).toMatchObject({ 'Files Copied': 2, 'Files Skipped': files - 2, Retries: 0 });
    expect(await destination.tree(`${root}/copy`)).toEqual(expected);
  });
});
