import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { makeOddTree } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const NAME = 'ip-127-0-0-1.rack9.invalid';
let hidden: Bed<'H'>;

/** A cluster whose datanode is told by a name that means nothing here. */
beforeAll(async () => {
  const extraHdfs = { 'dfs.datanode.hostname': NAME, 'dfs.client.use.datanode.hostname': 'false' };
  hidden = await startBed({ clusters: [{ name: 'H', extraHdfs }] });
});
afterAll(() => hidden.stop());

test('a datanode whose name does not resolve is named in the error, with the remedy', async () => {
  const pair = await TwoClusters.make(bed, 'unresolved');
  await pair.b.put(`${pair.root}/tree/file`, 'x');
  const conf = pair.conf({ H: { url: hidden.clusters.H.namenodeUrl } });
  const { code, status } = await pair.run(['copy', '--silent', '--exact', `B:${pair.root}/tree`, 'H:/unresolved'], {
    conf,
  });
  expect(code).toBe(1);
  expect(status['Files Failed']).toBe(1);
  const { stdout } = await pair.run(['status', status.Job, '--failures'], { conf });
  expect(stdout).toContain(NAME);
  expect(stdout).toContain('the host name does not resolve');
  expect(stdout).toContain('datanode_addresses');
});

test('datanode_addresses lead to it: a tree copied to it and back is the same byte for byte', async () => {
  const pair = await TwoClusters.make(bed, 'resolved');
  const { root, b } = pair;
  await makeOddTree(b, `${root}/tree`);
  const addresses = { 'ip-*.rack9.elsewhere': 'nowhere.invalid', '*-127-0-0-1.rack*.invalid': 'localhost' };
  const conf = pair.conf({ H: { url: hidden.clusters.H.namenodeUrl, datanode_addresses: addresses } });
  for (const [from, to] of [
    [`B:${root}/tree`, 'H:/resolved'],
    ['H:/resolved', `B:${root}/back`],
  ] as const) {
    const { code, stderr, status } = await pair.run(['copy', '--silent', '--exact', from, to], { conf });
    expect({ code, stderr, retries: status.Retries }).toEqual({ code: 0, stderr: '', retries: 0 });
  }
  const location = (await new TestHdfs(hidden.clusters.H.namenodeUrl).call('GET', 'OPEN', '/resolved/percent%'))
    .location;
  expect(location).toContain(`//${NAME}:`);
  expect(await b.tree(`${root}/back`)).toEqual(await b.tree(`${root}/tree`));
});
