import { beforeAll, expect, test } from 'vitest';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content, makeSmallTree } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';
import { reportIn } from '../support/verification.ts';

let e: TestHdfs;
let conf: string;
let tree: Record<string, string>;

beforeAll(async () => {
  const cluster = await sharedCluster('E');
  e = new TestHdfs(cluster.namenodeUrl);
  conf = writeConf(JSON.stringify({ clusters: [definitionOf(cluster)] }));
  await makeSmallTree(e, '/plain/tree');
  tree = await e.tree('/plain/tree');
}, 300_000);

const copy = (...args: string[]) => runCli(['copy', '--silent', ...args], { conf });

test('a tree goes into a zone, from there into another and out again, and what cannot be verified by checksum is read back', async () => {
  const files = Object.values(tree).filter((file) => file !== '').length;
  for (const [from, to, verified] of [
    ['/plain/tree', '/ez/tree', { checksum: 1, 'read-back': files - 1 }],
    ['/ez/tree', '/ez2/tree', { checksum: 1, 'read-back': files - 1 }],
    ['/ez2/tree', '/plain/back', { checksum: 1, 'read-back': files - 1 }],
  ] as const) {
    const { code, stderr, status } = await copy(`E:${from}`, `E:${to}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // An empty file has no byte that could differ.
    expect(status.Verified).toEqual(verified);
    expect(await e.tree(to)).toEqual(tree);
  }
});

test.each([
  ['/plain/same', '/ez/same'],
  ['/ez/same-2', '/plain/same-2'],
  ['/ez/same-3', '/ez2/same-3'],
])('copied again from %s to %s nothing is copied, and a byte that differs is found', async (from, to) => {
  for (const name of ['a', 'b']) await e.put(`${from}/${name}`, content(name, 70_000));
  expect((await copy('--exact', `E:${from}`, `E:${to}`)).code).toBe(0);
  const again = await copy('--exact', `E:${from}`, `E:${to}`);
  expect({ code: again.code, skipped: again.status.Skipped }).toEqual({ code: 0, skipped: { 'identical content': 2 } });
  await e.put(`${to}/b`, content('c', 70_000));
  const refused = await copy('--exact', `E:${from}`, `E:${to}`);
  expect({ code: refused.code, failed: refused.status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
  const { status } = await copy('--exact', '--force', `E:${from}`, `E:${to}`);
  expect(status).toMatchObject({ 'Files Copied': 1, 'Files Skipped': 1 });
  expect(await e.tree(to)).toEqual(await e.tree(from));
});

test('verify holds a tree in a zone against one outside of it: files are read there, since stored checksums are of the ciphertext', async () => {
  for (const name of ['a', 'b', 'empty']) {
    const bytes = name === 'empty' ? '' : content(name, 70_000);
    for (const root of ['/plain/held', '/ez/held']) await e.put(`${root}/${name}`, bytes);
  }
  const verify = async (...flags: string[]) => {
    const { code, stdout } = await runCli(['verify', '--json', ...flags, 'E:/plain/held', 'E:/ez/held'], { conf });
    return { code, ...reportIn(stdout) };
  };
  const told = await verify();
  expect({ code: told.code, proved: told.summary.proved }).toEqual({
    code: 0,
    proved: { checksum: 1, 'read-back': 2 },
  });
  await e.put('/ez/held/b', content('c', 70_000));
  for (const level of ['checksum', 'read-back']) {
    expect(await verify('--level', level)).toMatchObject({
      code: 1,
      findings: [{ type: 'different', by: 'content', source: '/plain/held/b', destination: '/ez/held/b' }],
    });
  }
});
