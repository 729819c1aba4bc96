import { beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { makeOddTree } from '../support/odd-tree.ts';
import { writeConf } from '../support/two-clusters.ts';

let o: TestHdfs;
let a: TestHdfs;
let conf: string;

/** O is of Hadoop 3.3.6, A of 3.4.2; each by its namenode and by an HttpFS. */
beforeAll(async () => {
  const [old, present] = await Promise.all([sharedCluster('O'), sharedCluster('A')]);
  [o, a] = [new TestHdfs(old.namenodeUrl), new TestHdfs(present.namenodeUrl)];
  conf = writeConf(
    JSON.stringify({ clusters: [definitionOf(old), definitionOf(present), httpFs(old), httpFs(present)] }),
  );
  await Promise.all([a.mkdirs('/release'), o.mkdirs('/release')]);
  await makeOddTree(a, '/release/tree');
}, 400_000);

function httpFs({ name, httpfs }: Cluster): object {
  return { name: `${name}-httpfs`, user: 'root', nameservices: [{ urls: [httpfs?.url], mounts: ['/'] }] };
}

test('it is the release that it is said to be', async () => {
  const { stdout } = await runCli(['doctor', 'O', '--read-only'], { conf });
  expect(stdout).toMatch(/Hadoop 3\.3\.6/);
});

test.each([
  ['A', 'O', '/to'],
  ['O', 'A', '/from'],
  ['A-httpfs', 'O-httpfs', '/to-httpfs'],
  ['O-httpfs', 'A-httpfs', '/from-httpfs'],
])(
  'a tree with odd names and all lengths goes from %s to %s, and is equal the second time',
  async (from, to, target) => {
    const source = from.startsWith('A') ? '/release/tree' : '/release/to';
    for (const count of ['Files Copied', 'Files Skipped'] as const) {
      const { code, stderr, status } = await runCli(
        ['copy', '--silent', '--exact', '--force', '--preserve', `${from}:${source}`, `${to}:/release${target}`],
        { conf },
      );
      expect({ code, stderr, count: status[count] }).toEqual({ code: 0, stderr: '', count: status['Files Expected'] });
    }
    const destination = to.startsWith('A') ? a : o;
    expect(await destination.tree(`/release${target}`)).toEqual(await a.tree('/release/tree'));
  },
);

test('what changed is replaced, in one step', async () => {
  await a.put('/release/changed/file', 'old');
  await runCli(['copy', '--silent', '--exact', 'A:/release/changed', 'O:/release/changed'], { conf });
  await a.put('/release/changed/file', 'new');
  const { code, status } = await runCli(
    ['copy', '--silent', '--exact', '--force', 'A:/release/changed', 'O:/release/changed'],
    { conf },
  );
  expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 1 });
  expect((await o.get('/release/changed/file')).toString()).toBe('new');
});
