import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { newHome, startCli } from '../support/cli.ts';
import { alive, copiersOf } from '../support/processes.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** Jobs that may not take all of the link or of a namenode, through the command line. */

const bed = inject('bed');
const [USAGE, KIB] = [2, 1024];

async function makeTree(name: string, files: Record<string, number>): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `limits-${name}`);
  for (const [file, bytes] of Object.entries(files))
    await pair.a.put(`${pair.root}/in/${file}`, Buffer.alloc(bytes, file));
  return pair;
}

const ends = ({ root }: TwoClusters) => [`A:${root}/in`, `B:${root}/out`];

/** What of each budget was leased, by its name without the job's id. */
function leasesIn(home: string): Record<string, number> {
  const db = new DatabaseSync(`${home}/jobs.db`, { readOnly: true });
  const rows = db.prepare('SELECT budget, count FROM leases').all();
  db.close();
  return Object.fromEntries(
    rows.map(({ budget, count }) => [String(budget).replace(/^job\/[^/]+/, 'job'), Number(count)]),
  );
}

async function runningJob(pair: TwoClusters): Promise<JobStatus> {
  for (;;) {
    const { stdout } = await pair.run(['jobs', '--json']);
    if (stdout !== '') {
      const status = JSON.parse(stdout.split('\n')[0] ?? '') as JobStatus;
      if (status.Phase === 'copying' && status.Outcome === 'Running') return status;
    }
    await sleep(100);
  }
}

async function expectSameTree(pair: TwoClusters): Promise<void> {
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
}

describe('a copy within limits', () => {
  test('ends right, tells its limits, and leases what it spends', async () => {
    const pair = await makeTree('kept', { 'd1/a': 300 * KIB, 'd2/b': 1, c: 0, d: 65_537 });
    const args = ['copy', '--bandwidth', '500K', '--namenode-ops', '100', '-p', ...ends(pair)];
    const { code, stderr, status } = await pair.run(args);
    expect(code, stderr).toBe(0);
    expect(status.Limits).toEqual({ bandwidth: '500K', namenodeOps: 100 });
    await expectSameTree(pair);
    const leases = leasesIn(pair.home);
    expect(Object.keys(leases).sort()).toEqual(['job/bytes', 'job/ops/A', 'job/ops/B']);
    expect((await pair.run(['jobs'])).stdout).toContain('bandwidth: 500K namenodeOps: 100');
  });

  test('through HttpFS ends right', async () => {
    const pair = await makeTree('httpfs', { a: 100 * KIB, b: 7 });
    const conf = pair.conf({ A: { url: bed.httpFs } });
    const { code, stderr } = await pair.run(['copy', '--bandwidth', '50K', '--namenode-ops', '50', ...ends(pair)], {
      conf,
    });
    expect(code, stderr).toBe(0);
    await expectSameTree(pair);
  });

  test('reads back no faster than it copies: what was written is read within the limit too', async () => {
    const pair = await makeTree('read-back', { a: 200 * KIB });
    const { code, stderr, status } = await pair.run([
      'copy',
      '--verify',
      'read-back',
      '--bandwidth',
      '200K',
      ...ends(pair),
    ]);
    expect(code, stderr).toBe(0);
    expect(status.Verified).toEqual({ 'read-back': 1 });
    expect(status.Duration).toBeGreaterThan(1.5);
  });

  test('that the clusters’ definitions set ends right, and they are leased for all jobs', async () => {
    const pair = await makeTree('cluster', { a: 100 * KIB, 'd/b': 50 * KIB });
    const conf = pair.conf({
      A: { max_bandwidth: '300K', max_namenode_ops: 80 },
      B: { max_bandwidth: '00:00,1G UTC' },
    });
    const results = await Promise.all(
      ['one', 'two'].map((name) => pair.run(['copy', `A:${pair.root}/in`, `B:${pair.root}/${name}`], { conf })),
    );
    for (const { code, stderr } of results) expect(code, stderr).toBe(0);
    for (const name of ['one', 'two']) {
      expect(await pair.b.tree(`${pair.root}/${name}`)).toEqual(await pair.a.tree(`${pair.root}/in`));
    }
    const leases = leasesIn(pair.home);
    expect(Object.keys(leases).sort()).toEqual(['cluster/A/bytes', 'cluster/A/ops', 'cluster/B/bytes']);
  });

  test('leases nothing where there is no limit', async () => {
    const pair = await makeTree('none', { a: 1000 });
    const { code, stderr, status } = await pair.run([
      'copy',
      '--bandwidth',
      'off',
      '--namenode-ops',
      'off',
      ...ends(pair),
    ]);
    expect(code, stderr).toBe(0);
    expect(status.Limits).toBeUndefined();
    expect(leasesIn(pair.home)).toEqual({});
  });
});

describe('hdfs-fanout set', () => {
  test('changes a copy that runs, from another process', async () => {
    // At this rate it would take most of an hour.
    const pair = await makeTree('set', { a: 2000 * KIB, b: 2000 * KIB });
    const { ended } = startCli(['copy', '--bandwidth', '1K', '--threads', '1', ...ends(pair)], {
      conf: bed.configFile,
      home: pair.home,
    });
    const { Job: job, Limits: limits } = await runningJob(pair);
    expect(limits).toEqual({ bandwidth: '1K' });
    const slow = await pair.run(['set', job, '--bandwidth', '2K', '--namenode-ops', '500', '--threads', '2']);
    expect(slow.stdout).toBe(`${job}: limits: bandwidth 2K, 500 namenode requests/s, threads: 2\n`);
    expect((await runningJob(pair)).Limits).toEqual({ bandwidth: '2K', namenodeOps: 500 });
    const free = await pair.run(['set', job, '--bandwidth', 'off', '--namenode-ops', 'off', '--json']);
    expect(JSON.parse(free.stdout)).toMatchObject({ type: 'set', job, bandwidth: 'off', namenodeOps: 'off' });
    const { code, stderr, status } = await ended;
    expect(code, stderr).toBe(0);
    expect(status.Limits).toBeUndefined();
    await expectSameTree(pair);
    const late = await pair.run(['set', job, '--bandwidth', '1M']);
    expect(late.code).toBe(USAGE);
    expect(late.stderr).toContain(`the job ${job} has ended: Successful`);
  });

  test('changes what several copier processes share', async () => {
    const files = Object.fromEntries(Array.from({ length: 160 }, (_, index) => [`d${index % 5}/f${index}`, 5000]));
    const pair = await makeTree('copiers', files);
    const args = [
      'copy',
      '--copiers',
      '2',
      '--threads',
      '20',
      '--bandwidth',
      '1K',
      '--namenode-ops',
      '2000',
      ...ends(pair),
    ];
    const { child, ended } = startCli(args, { conf: bed.configFile, home: pair.home });
    const copiers = await copiersOf(child.pid, 2);
    const { Job: job } = await runningJob(pair);
    // Each of the two has leased from the store of the process that runs the job.
    while ((leasesIn(pair.home)['job/bytes'] ?? 0) < 4) await sleep(100);
    expect(alive(copiers)).toEqual(copiers);
    expect((await pair.run(['set', job, '--bandwidth', 'off', '--threads', '30'])).code).toBe(0);
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    await expectSameTree(pair);
  });

  test('refuses a job that was killed, which goes on with other limits when it is resumed', async () => {
    const pair = await makeTree('killed', { a: 2000 * KIB });
    const { child, ended } = startCli(['copy', '--bandwidth', '1K', ...ends(pair)], {
      conf: bed.configFile,
      home: pair.home,
    });
    const { Job: job } = await runningJob(pair);
    child.kill('SIGKILL');
    await ended;
    const refused = await pair.run(['set', job, '--bandwidth', 'off']);
    expect(refused.code).toBe(USAGE);
    expect(refused.stderr).toContain(`the job ${job} is not running`);
    expect(refused.stderr).toContain(`hdfs-fanout copy --resume ${job} --bandwidth`);
    const { code, stderr } = await pair.run(['copy', '--resume', job, '--bandwidth', 'off']);
    expect(code, stderr).toBe(0);
    await expectSameTree(pair);
  });

  test('refuses a job that there is none of, and to set nothing', async () => {
    const home = newHome();
    const pair = await TwoClusters.make(bed, 'limits-unknown');
    const unknown = await pair.run(['set', 'no-such-job', '--threads', '3'], { home });
    expect([unknown.code, unknown.stderr]).toEqual([USAGE, expect.stringContaining('no job no-such-job')]);
    const nothing = await pair.run(['set', 'no-such-job'], { home });
    expect([nothing.code, nothing.stderr]).toEqual([USAGE, expect.stringContaining('nothing to set')]);
  });
});

test.each([
  [['--bandwidth', '0'], 'options.bandwidth: "0": nothing could be copied at that rate; off means no limit'],
  [['--bandwidth', '50MB'], 'write M or MiB'],
  [['--bandwidth', '08:00'], '"08:00" is no rate'],
  [['--bandwidth', '08:00,50M 25:00,off'], '"25:00,off" is not HH:MM,RATE'],
  [['--bandwidth', '08:00,50M Berlin'], '"Berlin" is neither HH:MM,RATE nor a time zone'],
  [['--namenode-ops', '0'], 'options.namenodeOps'],
  [['--namenode-ops', 'many'], 'It is not a whole number'],
])('%j is refused in words, and nothing is copied', async (flags, expected) => {
  const pair = await TwoClusters.make(bed, 'limits-refused');
  await pair.expectRefused(['copy', ...flags, ...ends(pair)], { code: USAGE, says: [expected] });
});

test('a definition with a broken limit is refused in words', async () => {
  const pair = await TwoClusters.make(bed, 'limits-definition');
  const conf = pair.conf({ A: { max_bandwidth: '50MB' } });
  await pair.expectRefused(['copy', ...ends(pair)], { code: USAGE, conf, says: ['clusters[0].max_bandwidth', 'MiB'] });
});
