import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { newHome, startCli } from '../support/cli.ts';
import { CompletenessPoll } from '../support/completeness-poll.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';

const FILES = 300;
let bed: Bed<'A' | 'B'>;
let a: TestHdfs;
let b: TestHdfs;
let source: Record<string, string>;

// A bed of its own, with a JVM for each daemon.
beforeAll(async () => {
  bed = await startBed({ separate: true });
  a = new TestHdfs(bed.clusters.A.namenodeUrl);
  b = new TestHdfs(bed.clusters.B.namenodeUrl);
  for (let i = 0; i < FILES; i += 20) {
    const puts = Array.from({ length: 20 }, (_, j) => a.put(`/restart/f${i + j}`, content(`${i + j}`, 100_000)));
    await Promise.all(puts);
  }
  source = await a.tree('/restart');
});

afterAll(() => bed.stop());

test.each(['A-dn1', 'B-dn1', 'A-nn', 'B-nn'] as const)(
  '%s killed and started again during a copy costs no file',
  async (daemon) => {
    const destination = `/restarted-${daemon}`;
    const poll = new CompletenessPoll(b, destination, source);
    const { ended } = startCli(['copy', '--silent', '--threads', '6', 'A:/restart', `B:${destination}`], {
      conf: bed.configFile,
      home: newHome(),
    });
    const polling = poll.start();
    await poll.until(0.15);
    await bed.kill(daemon);
    await sleep(500);
    await bed.start(daemon);
    const { code, status, stderr } = await ended;
    poll.stop();
    await polling;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': FILES, 'Files Failed': 0 });
    expect(status.Retries).toBeGreaterThanOrEqual(0);
    expect(poll.partial).toEqual([]);
    expect(await b.tree(destination)).toEqual(source);
  },
);
