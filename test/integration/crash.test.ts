import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { CompletenessPoll } from '../support/completeness-poll.ts';

const bed = inject('bed');
const a = new TestHdfs(bed.a);
const b = new TestHdfs(bed.b);

describe('a copy killed with kill -9 and resumed', () => {
  const lengths = Array.from({ length: 240 }, (_, i) => (i % 40 === 0 ? 12_000_000 : 1 + ((i * 7919) % 300_000)));
  let source: Record<string, string>;

  beforeAll(async () => {
    for (let i = 0; i < lengths.length; i += 16) {
      const puts = lengths.slice(i, i + 16).map((length, j) => {
        const name = `/crash/d${(i + j) % 7}/f${i + j}`;
        return a.put(name, content(name, length));
      });
      await Promise.all(puts);
    }
    source = await a.tree('/crash');
  });

  // Random moments, one in each fifth of the copy, told in the title so that a failure can be run again.
  const moments = Array.from({ length: 5 }, (_, i) => ((i + Math.random()) / 5).toFixed(3));

  test.each(moments)('at %s of its length ends with equal trees and exact counts', async (moment) => {
    const destination = `/crash-${moment}`;
    const home = newHome();
    const options = { conf: bed.configFile, home };
    const poll = new CompletenessPoll(b, destination, source);
    const { child, ended } = startCli(['copy', 'A:/crash', `B:${destination}`], options);
    const polling = poll.start();
    await poll.until(Number(moment));
    child.kill('SIGKILL');
    await ended;
    const jobs = await runCli(['jobs', '--json'], { home });
    const { Job: job } = JSON.parse(jobs.stdout) as { Job: string };
    // A second kill, in the middle of the resumed copy.
    const second = startCli(['copy', '--resume', job], options);
    await sleep(700);
    second.child.kill('SIGKILL');
    await second.ended;
    const { code, status, stderr } = await runCli(['copy', '--resume', job], options);
    poll.stop();
    await polling;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(poll.partial).toEqual([]);
    expect(poll.polls).toBeGreaterThan(2);
    expect(await b.tree(destination)).toEqual(source);
    const bytes = lengths.reduce((sum, length) => sum + length, 0);
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Files Expected': lengths.length,
      'Files Copied': lengths.length,
      'Files Skipped': 0,
      'Files Failed': 0,
      'Size Copied': bytes,
    });
  });
});
