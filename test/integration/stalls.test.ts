import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

/** Nothing hangs: who stalls or crawls is given up and tried again, and who only waits is left alone. */

const bed = inject('bed');
const MIB = 1024 * 1024;
/** More than the sockets of this machine hold. */
const LONG = 40 * MIB;
/** For stalls that are made, seconds: longer than a server takes for its next byte that the machine has no time for. */
const SHORT = '5';
const urls = { A: bed.a, B: bed.b, H: bed.httpFs };

interface Stalled {
  readonly from: keyof typeof urls;
  readonly to: keyof typeof urls;
  /** Which of the two is behind a proxy, datanodes included, that does so. */
  readonly behind: 'from' | 'to';
  readonly react: FaultProxyOptions['react'];
  readonly flags?: readonly string[];
  readonly fields?: Record<string, unknown>;
  readonly bytes?: number;
}

/** Copies one file that way. H is A's HttpFS. */
async function copyOf(name: string, { from, to, behind, react, flags = [], fields = {}, bytes = LONG }: Stalled) {
  const pair = await TwoClusters.make(bed, `stalls-${name}`);
  const [source, destination] = [from === 'B' ? pair.b : pair.a, to === 'B' ? pair.b : pair.a];
  await source.put(`${pair.root}/in/file`, content(name, bytes));
  await using faultProxy = await FaultProxy.start(urls[behind === 'from' ? from : to], {
    datanodes: true,
    ...(react ? { react } : {}),
  });
  const conf = pair.conf({
    P: { url: faultProxy.url, ...fields },
    O: { url: urls[behind === 'from' ? to : from] },
  });
  const [here, there] = behind === 'from' ? ['P', 'O'] : ['O', 'P'];
  const args = ['copy', '--silent', ...flags, `${here}:${pair.root}/in`, `${there}:${pair.root}/out`];
  const { code, stderr, status } = await pair.run(args, { conf });
  const { stdout: failures } = await pair.run(['status', status.Job, '--failures']);
  const tree = await destination.tree(`${pair.root}/out`);
  expect(temporaryNames(tree)).toEqual([]);
  const isSame = JSON.stringify(tree) === JSON.stringify(await source.tree(`${pair.root}/in`));
  return { code, stderr, status, failures, isSame, faultProxy };
}

const warningOf = ({ Warnings: warnings }: JobStatus) =>
  Object.entries(warnings).map(([text, count]) => `${text.replace(/127\.0\.0\.1:\d+/, 'HOST')}: ${count}`);

/** Does so to the first request of an operation that comes to whoever moves bytes. */
function once(operation: string, reaction: ReturnType<NonNullable<FaultProxyOptions['react']>>) {
  let times = 0;
  return ({ operation: asked, to, query }: { operation: string; to: string; query: string }) =>
    asked === operation && (to === 'datanode' || /[?&]data=true/.test(query)) && times++ === 0 ? reaction : undefined;
}

describe.concurrent('a transfer of which no byte moves any more is tried again', () => {
  test('from a datanode that sends no more', async () => {
    const { status, isSame, faultProxy } = await copyOf('source', {
      from: 'A',
      to: 'B',
      behind: 'from',
      react: once('OPEN', { stallsAfter: 5 * MIB }),
      flags: ['--stall-timeout', SHORT],
    });
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1, Verified: { checksum: 1 } });
    expect(isSame).toBe(true);
    expect(warningOf(status)).toEqual(['connections to the datanode HOST of P that died or stalled: 1']);
    // It is the only one: it is left out, and then asked after all.
    const asked = faultProxy.requests.filter(({ operation, to }) => operation === 'OPEN' && to === 'namenode');
    expect(asked.map(({ query }) => query.includes('excludedatanodes='))).toEqual([false, true, false]);
  });

  test('to a datanode that takes no more', async () => {
    const { status, isSame, faultProxy } = await copyOf('destination', {
      from: 'A',
      to: 'B',
      behind: 'to',
      react: once('CREATE', 'hang'),
      flags: ['--stall-timeout', `${SHORT}s`],
    });
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1 });
    expect(isSame).toBe(true);
    expect(warningOf(status)).toEqual(['connections to the datanode HOST of P that died or stalled: 1']);
    const asked = faultProxy.requests.filter(({ operation, to }) => operation === 'CREATE' && to === 'namenode');
    expect(asked.map(({ query }) => query.includes('excludedatanodes='))).toEqual([false, true, false]);
  });

  test('from an HttpFS that sends no more', async () => {
    let times = 0;
    const { status, isSame } = await copyOf('httpfs-source', {
      from: 'H',
      to: 'B',
      behind: 'from',
      react: ({ operation }) => (operation === 'OPEN' && times++ === 0 ? { stallsAfter: 5 * MIB } : undefined),
      flags: ['--stall-timeout', SHORT],
    });
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1, Warnings: {} });
    expect(isSame).toBe(true);
  });

  test('to an HttpFS that takes no more', async () => {
    const { status, isSame } = await copyOf('httpfs-destination', {
      from: 'B',
      to: 'H',
      behind: 'to',
      react: once('CREATE', 'hang'),
      flags: ['--stall-timeout', SHORT],
    });
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1, Warnings: {} });
    expect(isSame).toBe(true);
  });

  test('and fails, with who stalled and for how long, when it always stalls', async () => {
    const { code, status, failures } = await copyOf('always', {
      from: 'A',
      to: 'B',
      behind: 'from',
      react: ({ operation, to }) => (operation === 'OPEN' && to === 'datanode' ? { stallsAfter: 1000 } : undefined),
      flags: ['--stall-timeout', '1', '--max-failures', '0'],
      bytes: 5 * MIB,
    });
    expect(code).not.toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 0 });
    expect(failures).toMatch(/OPEN on 127\.0\.0\.1:\d+.*the datanode sent nothing for 1 s after \d+ of 5242880 bytes/s);
  });
});

describe.concurrent('is waited for', () => {
  test('what a limit takes its time for', async () => {
    const ways = [
      ['raw', 'A', 'B'],
      ['general', 'H', 'B'],
    ] as const;
    // A piece of 64 KiB has to wait for more than six seconds.
    const flags = ['--stall-timeout', SHORT, '--min-rate', '1G', '--bandwidth', '10K'];
    const limited = ways.map(([name, from, to]) =>
      copyOf(`limit-${name}`, { from, to, behind: 'from', react: undefined, flags, bytes: 200_000 }),
    );
    for (const { status, isSame } of await Promise.all(limited)) {
      expect(status).toMatchObject({ 'Files Copied': 1, Retries: 0, Warnings: {} });
      expect(isSame).toBe(true);
    }
  });

  test('a source whose destination is slow, which is the one that is given up', async () => {
    const { status, failures } = await copyOf('backpressure', {
      from: 'A',
      to: 'B',
      behind: 'to',
      react: ({ operation, to }) => (operation === 'CREATE' && to === 'datanode' ? 'hang' : undefined),
      flags: ['--stall-timeout', '3', '--max-failures', '0'],
    });
    expect(status).toMatchObject({ 'Files Copied': 0 });
    expect(failures).toMatch(/CREATE on 127\.0\.0\.1:\d+.*it took nothing for 3 s after \d+ of 41943040 bytes/s);
    expect(Object.keys(status.Warnings).every((text) => text.includes('of P'))).toBe(true);
  });

  test('the answer to a whole file, for as long as data_timeout and not as a byte of it', async () => {
    let times = 0;
    const { status, isSame } = await copyOf('closing', {
      from: 'A',
      to: 'B',
      behind: 'to',
      react: ({ operation, to }) =>
        operation === 'CREATE' && to === 'datanode' && times++ === 0 ? { answersAfterMs: 8000 } : undefined,
      flags: ['--stall-timeout', SHORT],
      bytes: 5000,
    });
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 0 });
    expect(isSame).toBe(true);
  });
});

test.concurrent('a copy that was suspended for longer than that goes on where it was', async () => {
  const pair = await TwoClusters.make(bed, 'stalls-suspended');
  await pair.a.put(`${pair.root}/in/file`, content('suspended', 6 * MIB));
  await using faultProxy = await FaultProxy.start(bed.a, {
    datanodes: true,
    react: ({ operation, to }) => (operation === 'OPEN' && to === 'datanode' ? { bytesPerSecond: MIB } : undefined),
  });
  const conf = pair.conf({ P: { url: faultProxy.url } });
  const args = [
    'copy',
    '--silent',
    '--copiers',
    '1',
    '--stall-timeout',
    '10',
    `P:${pair.root}/in`,
    `B:${pair.root}/out`,
  ];
  const { child, ended } = startCli(args, { conf, home: pair.home });
  while (!faultProxy.requests.some(({ to }) => to === 'datanode')) await sleep(50);
  await sleep(1500);
  child.kill('SIGSTOP');
  await sleep(15_000);
  child.kill('SIGCONT');
  const { code, stderr, status } = await ended;
  expect(code, stderr).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 0, Warnings: {} });
});

test.concurrent('an upload whose answer never comes is tried again after data_timeout', async () => {
  let times = 0;
  const { status, isSame } = await copyOf('never-closed', {
    from: 'A',
    to: 'B',
    behind: 'to',
    react: ({ operation, to }) =>
      operation === 'CREATE' && to === 'datanode' && times++ === 0 ? { answersAfterMs: 3_600_000 } : undefined,
    flags: ['--stall-timeout', 'off'],
    // Long enough for the answer to the second one, on a busy machine too.
    fields: { data_timeout: 10 },
    bytes: 5000,
  });
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1 });
  expect(isSame).toBe(true);
});

test.concurrent('a transfer that crawls below --min-rate for a minute is tried again', async () => {
  const { status, isSame } = await copyOf('crawling', {
    from: 'A',
    to: 'B',
    behind: 'from',
    react: once('OPEN', { bytesPerSecond: 10_000 }),
    flags: ['--min-rate', '20K'],
    bytes: 5 * MIB,
  });
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1 });
  expect(isSame).toBe(true);
  expect(warningOf(status)).toEqual(['connections to the datanode HOST of P that died or stalled: 1']);
});

test.each([
  [['--stall-timeout', '3d'], 'options.stallTimeout: "3d" is no duration'],
  [['--stall-timeout', '-1'], '"-1" is no duration'],
  [['--min-rate', '0'], 'options.minRate: "0": nothing could be copied at that rate'],
  [['--min-rate', '50MB'], 'write M or MiB'],
])('%j is refused in words, and nothing is copied', async (flags, expected) => {
  const pair = await TwoClusters.make(bed, 'stalls-refused');
  await pair.expectRefused(['copy', ...flags, `A:${pair.root}/in`, `B:${pair.root}/out`], {
    code: 2,
    says: [expected],
  });
});
