import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { newHome, startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { expectOneLine, TwoClusters } from '../support/two-clusters.ts';

/** Jobs that are stopped, seen, continued and cleaned up by a person. */

const bed = inject('bed');
const MIB = 1024 * 1024;
const STOPPED = 3;
const RUNNING = 4;
const INTERRUPTED = 130;

const denied = { RemoteException: { exception: 'AccessControlException', message: 'Permission denied: user=root' } };

/** A running copy of small files, large ones that come slowly, and one that cannot be read. Ends with its scope. */
async function slowCopy(name: string) {
  const pair = await TwoClusters.make(bed, `jobs-${name}`);
  const { a, root } = pair;
  const small = Array.from({ length: 6 }, (_, i) => a.put(`${root}/tree/small-${i}`, `small ${i}`));
  const large = ['a', 'b'].map((letter) => a.put(`${root}/tree/large-${letter}`, Buffer.alloc(3 * MIB, letter)));
  await Promise.all([...small, ...large, a.put(`${root}/tree/denied`, 'denied'), a.mkdirs(`${root}/tree/empty`)]);
  const faultProxy = await FaultProxy.start(bed.a, {
    datanodes: true,
    react: async ({ operation, path, to }) => {
      if (operation !== 'OPEN') return undefined;
      // Two files of the large ones' batch end together, after others: what is recorded of them must not wait for those.
      if (to === 'namenode' && /denied|small-0$/.test(path)) await sleep(700);
      if (path.endsWith('/denied')) return { answer: { status: 403, body: JSON.stringify(denied) } };
      return to === 'datanode' && path.includes('/large-') ? { bytesPerSecond: MIB / 8 } : undefined;
    },
  });
  const conf = pair.conf({ A: { url: faultProxy.url } });
  const { child, ended } = startCli(['copy', `A:${root}/tree`, `B:${root}/tree`], { conf, home: pair.home });
  const midway = async (): Promise<string> => {
    // Both large files are on their way: the small ones are then copied.
    for (let names: string[] = []; !isMidway(names); await sleep(50)) names = await namesIn(pair);
    return jobIn(pair);
  };
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await faultProxy[Symbol.asyncDispose]();
  };
  return { pair, child, ended, midway, [Symbol.asyncDispose]: stop };
}

/** Job Status of the whole copy, however often it was stopped: each file and byte counted once. */
const whole = {
  Outcome: 'Successful',
  'Files Expected': 9,
  'Files Copied': 9,
  'Files Failed': 0,
  'Files Skipped': 0,
  'Size Copied': 6 * 'small 1'.length + 'denied'.length + 6 * MIB,
  Verified: { checksum: 9 },
};

async function namesIn({ b, root }: TwoClusters): Promise<string[]> {
  const entries = await b.list(`${root}/tree`).catch(() => []);
  return entries.map(({ pathSuffix }) => pathSuffix);
}

function isMidway(names: readonly string[]): boolean {
  return names.filter((name) => name.startsWith('small-')).length === 6 && names.filter(isTemporary).length === 2;
}

const isTemporary = (name: string) => name.startsWith('_hdfs-fanout.');

async function temporaries(pair: TwoClusters): Promise<string[]> {
  return (await namesIn(pair)).filter(isTemporary);
}

async function jobIn(pair: TwoClusters): Promise<string> {
  const { stdout } = await pair.run(['jobs', '--json']);
  return (JSON.parse(stdout.split('\n')[0] ?? '') as { Job: string }).Job;
}

async function expectEqualTrees({ a, b, root }: TwoClusters): Promise<void> {
  const [source, copy] = await Promise.all([a.tree(`${root}/tree`), b.tree(`${root}/tree`)]);
  expect(copy).toEqual(source);
}

describe('a copy that is interrupted', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s leaves nothing half-done, and is resumed',
    async (signal) => {
      await using copy = await slowCopy(signal.toLowerCase());
      const { pair, child, ended, midway } = copy;
      const job = await midway();
      child.kill(signal);
      const result = await ended;
      expect(result.code).toBe(INTERRUPTED);
      expectOneLine(result, ['interrupted', `go on with: hdfs-fanout copy --resume ${job}`]);
      expect(result.status).toMatchObject({ Job: job, Outcome: 'Interrupted', Phase: 'copying', Error: 'interrupted' });
      expect(result.status).toMatchObject({ 'Files Expected': 9, 'Files Copied': 6, 'Files Failed': 1 });
      expect(await temporaries(pair)).toEqual([]);

      const resumed = await pair.run(['copy', '--resume', job]);
      expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
      expect(resumed.status).toMatchObject({ Job: job, ...whole });
      await expectEqualTrees(pair);
    },
  );

  test('while a namenode hangs ends at once', async () => {
    const pair = await TwoClusters.make(bed, 'jobs-hang');
    await pair.a.put(`${pair.root}/file`, 'content');
    await using faultProxy = await FaultProxy.start(bed.b, { react: () => 'hang' });
    const conf = pair.conf({ B: { url: faultProxy.url } });
    const { child, ended } = startCli(['copy', `A:${pair.root}/file`, `B:${pair.root}/copy`], { conf });
    while (faultProxy.requests.length === 0) await sleep(50);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: INTERRUPTED, stdout: '' });
    expect(stderr).toBe('hdfs-fanout: interrupted: nothing was changed\n');
  });
});

describe('a copy that is killed', () => {
  test('is resumed: what it left half-done is swept, and nothing is counted twice', async () => {
    await using copy = await slowCopy('killed');
    const { pair, child, ended, midway } = copy;
    const job = await midway();
    // Outcomes are recorded several times a second.
    await sleep(500);
    child.kill('SIGKILL');
    await ended;
    expect(await temporaries(pair)).toHaveLength(2);
    const dead = await pair.run(['status', job]);
    expect(dead.code).toBe(INTERRUPTED);
    expectOneLine(dead, ['interrupted', `go on with: hdfs-fanout copy --resume ${job}`]);
    expect(dead.status).toMatchObject({ Outcome: 'Interrupted', Phase: 'copying', 'Files Copied': 6 });
    expect((await pair.run(['jobs'])).stdout).toMatch(new RegExp(`^${job} Interrupted `, 'm'));

    const resumed = await pair.run(['copy', '--resume', job]);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ Job: job, ...whole });
    await expectEqualTrees(pair);
  });

  test('is cleaned: no temporary file of it is left, and it is not resumed', async () => {
    await using copy = await slowCopy('cleaned');
    const { pair, child, ended, midway } = copy;
    const job = await midway();
    child.kill('SIGKILL');
    await ended;
    expect(await temporaries(pair)).toHaveLength(2);
    const foreign = '_hdfs-fanout.another-job.0.0.1.0';
    await pair.b.put(`${pair.root}/tree/${foreign}`, 'not of this job');

    const cleaned = await pair.run(['clean', job]);
    expect(cleaned).toMatchObject({
      code: 0,
      stdout: `${job} is clean: no temporary file of it is left\n`,
      stderr: '',
    });
    expect(await temporaries(pair)).toEqual([foreign]);
    expect((await pair.run(['clean', job])).code).toBe(0);

    const says = [`the job ${job} was cleaned`, 'copy again with --force'];
    await pair.expectRefused(['copy', '--resume', job], { code: 2, says });
    const { code, status } = await pair.run(['status', job]);
    expect({ code, phase: status.Phase, error: status.Error }).toMatchObject({
      code: 1,
      phase: 'done',
      error: 'cleaned: it cannot be resumed',
    });
  });
});

describe('while a job runs', () => {
  let running: Awaited<ReturnType<typeof slowCopy>>;
  let job: string;

  beforeAll(async () => {
    running = await slowCopy('running');
    job = await running.midway();
  });

  afterAll(() => running[Symbol.asyncDispose]());

  const busy = async (args: readonly string[], says: readonly string[]) => {
    const result = await running.pair.run(args);
    expectOneLine(result, says);
    expect(result.code).toBe(STOPPED);
  };

  test('it is not run a second time', () =>
    busy(['copy', '--resume', job], [`the job ${job} is running already`, 'wait for its end']));

  test('it is not cleaned', () => busy(['clean', job], [`the job ${job} is running already`, 'wait for its end']));

  test.each([
    ['the same destination', '--exact', '/tree'],
    ['a directory in its destination', '--exact', '/tree/empty'],
    ['a directory around its destination', '--exact', ''],
  ])('no other job writes to %s', async (_, flag, below) => {
    const { root } = running.pair;
    const says = [`the job ${job} is writing to ${root}/tree`, `overlaps ${root}${below}`, `hdfs-fanout status ${job}`];
    await busy(['copy', '--force', flag, `A:${root}/tree`, `B:${root}${below}`], says);
  });

  test('another job writes beside it', async () => {
    const { root } = running.pair;
    const { code } = await running.pair.run(['copy', `A:${root}/tree/small-0`, `B:${root}/tree-2`]);
    expect(code).toBe(0);
  });

  test('its status tells how far it is, and the refused ones left no trace', async () => {
    const { code, status } = await running.pair.run(['status', job]);
    expect(code).toBe(RUNNING);
    expect(status).toMatchObject({ Outcome: 'Running', Phase: 'copying', 'Files Expected': 9 });
    expect(status).toMatchObject({ 'Files Copied': 6, 'Files Failed': 1 });
    const { stdout } = await running.pair.run(['jobs']);
    const { root } = running.pair;
    expect(stdout.split('\n')).toEqual([
      'JOB                    STATE         AGE  TOOK       FILES DONE  SIZE    RATE',
      expect.stringMatching(/^\d{8}-\d{6}-\w{6} Successful +\d\S* +\d\S* +1\/1 100% +7B( +\d\S*B\/s)?$/),
      `  A:${root}/tree/small-0 -> B:${root}/tree-2`,
      expect.stringMatching(`^${job} Running +\\d\\S* +\\d\\S* +6\\/9 +0% +6\\.0M( +\\d\\S*B/s)?$`),
      `  A:${root}/tree -> B:${root}/tree`,
      '',
    ]);
  });
});

describe('failures', () => {
  let pair: TwoClusters;
  let job: string;
  const names = ['1', '2', '3', 'new\nline', '5'];

  beforeAll(async () => {
    pair = await TwoClusters.make(bed, 'jobs-failures');
    await pair.b.call('PUT', 'SETPERMISSION', pair.root, { permission: '777' });
    for (const name of names) await pair.a.put(`${pair.root}/tree/${name}`, name, { permission: '600' });
    const conf = pair.conf({ A: { user: 'mallory' }, B: { user: 'mallory' } });
    const { code, status } = await pair.run(['copy', `A:${pair.root}/tree`, `B:${pair.root}/tree`], { conf });
    expect(code).toBe(1);
    job = status.Job;
  });

  test('come in pages, each of which names the next', async () => {
    const paths: string[] = [];
    let command = ['status', job, '--failures', '--limit', '2'];
    let pages = 0;
    for (; command.length > 0; pages++) {
      const { code, stdout } = await pair.run(command);
      expect(code).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      paths.push(...lines.filter((line) => line.startsWith('/')));
      const more = lines.at(-1)?.startsWith('more: ') ? (lines.pop() ?? '') : '';
      expect(lines.length % 2).toBe(0);
      command = more ? [...more.replace('more: hdfs-fanout ', '').split(' '), '--limit', '2'] : [];
    }
    expect(pages).toBe(3);
    const printed = names.map((name) => `${pair.root}/tree/${name.replace('\n', '\\n')}`);
    expect(paths.sort()).toEqual(printed.sort());
  });

  test('come as JSON, with names as they are', async () => {
    const { stdout } = await pair.run(['status', job, '--failures', '--json']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ path }) => String(path)).sort()).toEqual(names.map((n) => `${pair.root}/tree/${n}`).sort());
    expect(events[0]).toMatchObject({ type: 'failure', operation: 'OPEN' });
    expect(events[0]?.['host']).toMatch(/^localhost:\d+$/);
    expect(events[0]?.['reason']).toMatch(/^AccessControlException: Permission denied: user=mallory/);
  });

  test('give the job its exit code again', async () => {
    expect((await pair.run(['status', job])).code).toBe(1);
  });
});

test('there are no jobs in a new home', async () => {
  const pair = await TwoClusters.make(bed, 'jobs-none');
  expect(await pair.run(['jobs'], { home: newHome() })).toMatchObject({ code: 0, stdout: '', stderr: '' });
});
