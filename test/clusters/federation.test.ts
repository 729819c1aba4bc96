import { beforeAll, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { makeSmallTree } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';

let a: TestHdfs;
let b: TestHdfs;
let conf: string;

/** A and B as one cluster FED: B has /fed/b and /fed/deep/er, A all the rest. And each alone. */
beforeAll(async () => {
  const [onA, onB] = await Promise.all([sharedCluster('A'), sharedCluster('B')]);
  [a, b] = [new TestHdfs(onA.namenodeUrl), new TestHdfs(onB.namenodeUrl)];
  const nameservice = (hdfs: TestHdfs, ...mounts: string[]) => ({ urls: [hdfs.url], mounts });
  const cluster = (name: string, ...nameservices: object[]) => ({ name, user: 'root', nameservices });
  conf = writeConf(
    JSON.stringify({
      clusters: [
        cluster(
          'FED',
          nameservice(a, '/'),
          nameservice(b, '/fed/b', '/fed/deep/er', '/fed-copy/b', '/fed-copy/deep/er'),
        ),
        cluster('MOUNTS', nameservice(a, '/fed-mounts/a', '/fed-mounts/file'), nameservice(b, '/fed-mounts/b')),
        cluster('A', nameservice(a, '/')),
        cluster('B', nameservice(b, '/')),
      ],
    }),
  );
  await makeSmallTree(a, '/fed/a');
  await a.put('/fed/file', 'of A');
  // Under a mount what A has is not to be seen.
  await a.put('/fed/b/hidden', 'hidden');
  await makeSmallTree(b, '/fed/b');
  await b.put('/fed/deep/er/x', 'of B');
  await b.put('/fed/beside', 'not mounted');
}, 300_000);

const copy = (...args: string[]) => runCli(['copy', '--silent', ...args], { conf });

const expected = async () => {
  const rest = Object.entries(await a.tree('/fed')).filter(([path]) => !path.startsWith('/b/'));
  const mounted = Object.entries(await b.tree('/fed')).filter(([path]) => /^\/(?:b|deep)\//.test(path));
  return Object.fromEntries([...rest, ...mounted].sort(([x], [y]) => (x < y ? -1 : 1)));
};

test('a tree that spans two nameservices is copied whole, each directory from the one that serves it', async () => {
  const { code, stderr } = await copy('FED:/fed', 'A:/fed-as-source');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await a.tree('/fed-as-source')).toEqual(await expected());
});

test('a tree is copied onto two nameservices, each directory to the one that serves it, and is equal the second time', async () => {
  expect((await copy('FED:/fed', 'A:/fed-as-one')).code).toBe(0);
  for (const copied of ['Files Copied', 'Files Skipped'] as const) {
    const { code, stderr, status } = await copy('--exact', 'A:/fed-as-one', 'FED:/fed-copy');
    expect({ code, stderr, files: status[copied] }).toEqual({ code: 0, stderr: '', files: status['Files Expected'] });
  }
  const all = Object.entries(await expected());
  const ofB = all.filter(([path]) => /^\/(?:b|deep\/er)\//.test(path));
  const ofA = all.filter(([path]) => !/^\/(?:b|deep\/er)\//.test(path));
  const onB = await b.tree('/fed-copy');
  expect(Object.fromEntries(ofB)).toEqual({ ...onB, '/deep/': undefined });
  expect(await a.tree('/fed-copy')).toEqual(Object.fromEntries(ofA));
});

test('a cluster may be mounts and nothing else', async () => {
  for (const [hdfs, mount] of [
    [a, '/fed-mounts/a'],
    [b, '/fed-mounts/b'],
  ] as const)
    await hdfs.mkdirs(mount);
  await makeSmallTree(a, '/fed-two/a');
  await makeSmallTree(a, '/fed-two/b');
  for (const [from, to] of [
    ['A:/fed-two', 'MOUNTS:/fed-mounts'],
    ['MOUNTS:/fed-mounts', 'A:/fed-two-again'],
  ] as const) {
    const { code, stderr } = await copy('--exact', from, to);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  expect(await b.tree('/fed-mounts/b')).toEqual(await a.tree('/fed-two/b'));
  expect(await a.tree('/fed-two-again')).toEqual(await a.tree('/fed-two'));
});

test('a glob finds what lies under a mount, and the mount itself', async () => {
  const { code, stderr } = await copy('FED:/fed/*/er', 'A:/fed-glob');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(Object.keys(await a.tree('/fed-glob'))).toEqual(['/x']);
});
