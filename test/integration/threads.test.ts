import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { FaultProxy, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');

/** Two clusters with so many files in A. */
async function pairWith(name: string, files: number): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `threads-${name}`);
  for (let i = 0; i < files; i += 20) {
    const puts = Array.from({ length: 20 }, (_, j) =>
      pair.a.put(`${pair.root}/in/f${i + j}`, content(`${i + j}`, 100 * (i + j))),
    );
    await Promise.all(puts);
  }
  return pair;
}

test('--threads auto copies every file once, within what both clusters allow, and tells the number', async () => {
  const pair = await pairWith('auto', 200);
  const { root } = pair;
  const args = ['copy', '--json', '--exact', '--threads', 'auto', `A:${root}/in`, `B:${root}/out`];
  const conf = pair.conf({ B: { max_concurrency: 12 } });
  const { code, status } = await pair.run(args, { conf });
  expect(code).toBe(0);
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 200 });
  expect(status['Transfers At Once']).toMatchObject({ first: 10, busy: {} });
  expect(status['Transfers At Once']?.last).toBeLessThanOrEqual(12);
  expect(await pair.b.tree(`${root}/out`)).toEqual(await pair.a.tree(`${root}/in`));
  const { status: again } = await pair.run(args, { conf });
  expect(again).toMatchObject({ 'Files Copied': 0, 'Files Skipped': 200 });
});

test('a namenode that says busy for a while gets fewer transfers, later all of them again, and every file is copied', async () => {
  const pair = await pairWith('busy', 700);
  const { root } = pair;
  let atWork = 0;
  let creations = 0;
  const seen: number[] = [];
  const busy: Reaction = {
    answer: {
      status: 403,
      body: JSON.stringify({ RemoteException: { exception: 'RetriableException', message: 'Server is too busy.' } }),
    },
  };
  await using faultProxy = await FaultProxy.start(bed.b, {
    react: async ({ operation }) => {
      if (operation !== 'CREATE') return undefined;
      creations += 1;
      if (creations > 40 && creations <= 60) return busy;
      atWork += 1;
      seen.push(atWork);
      // What makes it a server whose time is the same whatever this machine does.
      await sleep(500);
      atWork -= 1;
      return undefined;
    },
  });
  const conf = pair.conf({ B: { url: faultProxy.url } });
  const args = ['copy', '--silent', '--exact', '--threads', '20', `A:${root}/in`, `B:${root}/out`];
  const { code, status } = await pair.run(args, { conf });
  expect(code).toBe(0);
  expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 700, 'Files Failed': 0 });
  expect(status['Transfers At Once']).toMatchObject({ first: 20, last: 20 });
  expect(status['Transfers At Once']?.busy['B']).toBeGreaterThanOrEqual(1);
  expect(Math.max(...seen)).toBeLessThanOrEqual(20);
  expect(await pair.b.tree(`${root}/out`)).toEqual(await pair.a.tree(`${root}/in`));
});
