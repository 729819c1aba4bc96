import { describe, expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** Storage policies of directories, carried over with --attributes storagepolicy. */

const bed = inject('bed');
const [HOT, ALL_SSD, WARM] = [7, 12, 5];
const FLAGS = ['--attributes', 'storagepolicy'];

/** `all` has a policy, and of what lies in it `all/hot` alone another one. */
async function scene(name: string, to: 'B' | 'HttpFS' = 'B') {
  const pair = await TwoClusters.make(bed, `policies-${name}`);
  const { a, root } = pair;
  for (const file of ['plain/file', 'all/deep/file', 'all/hot/deep/file']) await a.put(`${root}/tree/${file}`, file);
  await a.call('PUT', 'SETSTORAGEPOLICY', `${root}/tree/all`, { storagepolicy: 'ALL_SSD' });
  await a.call('PUT', 'SETSTORAGEPOLICY', `${root}/tree/all/hot`, { storagepolicy: 'HOT' });
  // HttpFS stands before A.
  const [there, url] = to === 'HttpFS' ? [a, bed.httpFs] : [pair.b, bed.b];
  const policies = async () => {
    const paths = ['', '/plain', '/all', '/all/deep', '/all/deep/file', '/all/hot', '/all/hot/deep'];
    const found = paths.map(
      async (path) => (await there.status(`${root}/mirror${path}`)) as { storagePolicy?: number },
    );
    return (await Promise.all(found)).map(({ storagePolicy }) => storagePolicy);
  };
  const copy = async (flags: readonly string[]) => {
    await using destination = await FaultProxy.start(url);
    const args = ['copy', '--silent', '--exact', '--force', ...flags, `A:${root}/tree`, `B:${root}/mirror`];
    const result = await pair.run(args, { conf: pair.conf({ B: { url: destination.url } }) });
    const set = destination.requests.filter(({ operation }) => operation === 'SETSTORAGEPOLICY');
    return { ...result, set: set.map(({ path }) => path.slice(`${root}/mirror`.length)) };
  };
  return { pair, policies, copy };
}

describe.concurrent('--attributes storagepolicy', () => {
  test.each(['B', 'HttpFS'] as const)(
    'sets them where a directory is to have another than its parent gives, before files come: %s',
    async (to) => {
      const { policies, copy } = await scene(to, to);
      const first = await copy(FLAGS);
      expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
      expect(first.status).toMatchObject({ 'Files Copied': 3, Warnings: {} });
      expect(first.set.sort()).toEqual(['/all', '/all/hot']);
      expect(await policies()).toEqual([0, 0, ALL_SSD, ALL_SSD, ALL_SSD, HOT, HOT]);
      const again = await copy(FLAGS);
      expect(again.status).toMatchObject({ 'Files Copied': 0, Warnings: {} });
      expect(again.set).toEqual([]);
    },
  );

  test('brings directories up to date that are there, and leaves alone those whose source has none', async () => {
    const { pair, policies, copy } = await scene('there');
    const { b, root } = pair;
    await b.mkdirs(`${root}/mirror/all/hot`);
    await b.mkdirs(`${root}/mirror/plain`);
    await b.call('PUT', 'SETSTORAGEPOLICY', `${root}/mirror/plain`, { storagepolicy: 'WARM' });
    const { code, set } = await copy(FLAGS);
    expect({ code, set: set.sort() }).toEqual({ code: 0, set: ['/all', '/all/deep', '/all/hot', '/all/hot/deep'] });
    expect(await policies()).toEqual([0, WARM, ALL_SSD, ALL_SSD, ALL_SSD, HOT, HOT]);
  });

  test('is no part of --preserve: a cluster without archive disks takes no file under COLD', async () => {
    const { pair, copy } = await scene('preserve');
    const { a, root } = pair;
    await a.call('PUT', 'SETSTORAGEPOLICY', `${root}/tree/all/hot`, { storagepolicy: 'COLD' });
    const { code, set, status } = await copy(['--preserve']);
    expect({ code, set, copied: status['Files Copied'] }).toEqual({ code: 0, set: [], copied: 3 });
  });
});
