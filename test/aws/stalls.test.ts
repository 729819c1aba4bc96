import { expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MIB = 1024 * 1024;

test('a Lambda gives up a transfer of which no byte moves, and the job tells of it', async () => {
  const pair = await TwoClusters.make(bed, 'aws-stalls');
  for (const file of ['a', 'b']) await pair.a.put(`${pair.root}/in/${file}`, content(file, 5 * MIB));
  let times = 0;
  await using faultProxy = await FaultProxy.start(bed.a, {
    datanodes: true,
    react: ({ operation, to }) =>
      operation === 'OPEN' && to === 'datanode' && times++ === 0 ? { stallsAfter: 1000 } : undefined,
  });
  await cloud.push({ stallsProxy: { url: faultProxy.url } });
  const paths = [`stallsProxy:${pair.root}/in`, `B:${pair.root}/out`];
  const { code, stderr, status } = await cloud.run('start', '--wait', '--stall-timeout', '2', ...paths);
  expect(code, stderr).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 2, Retries: 1 });
  expect(Object.entries(status.Warnings)).toEqual([
    [expect.stringMatching(/^connections to the datanode \S+ of stallsProxy that died or stalled$/), 1],
  ]);
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
});

test('a cluster that goes away while a job is at work is waited for, and costs no file', async () => {
  const pair = await TwoClusters.make(bed, 'aws-outage');
  for (const file of ['a', 'b', 'c']) await pair.a.put(`${pair.root}/in/${file}`, content(file, 1000));
  let isAway = false;
  let opened = 0;
  await using faultProxy = await FaultProxy.start(bed.a, {
    react: ({ operation }) => {
      if (operation === 'OPEN' && opened++ === 0) isAway = true;
      return isAway ? 'cut-before' : undefined;
    },
  });
  await cloud.push({ outageProxy: { url: faultProxy.url, retry_timeout: 1 } });
  const job = await cloud.start(`outageProxy:${pair.root}/in`, `B:${pair.root}/out`);
  // The copier has given up: what waits now is the state machine.
  for (;;) {
    const { status } = await cloud.run('status', job);
    if (JSON.stringify(status).includes('cannot serve')) break;
  }
  isAway = false;
  const { code, stderr, status } = await cloud.run('watch', job);
  expect(code, stderr).toBe(0);
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 3, 'Files Failed': 0 });
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
});
