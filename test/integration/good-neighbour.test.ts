import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { newHome, startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { expectOneLine, TwoClusters } from '../support/two-clusters.ts';

/** A command among others: in pipes, on full disks, under signals. */

const bed = inject('bed');
const repository = join(import.meta.dirname, '../..');
const bin = join(repository, 'bin/hdfs-fanout.js');
const [USAGE, STOPPED, INTERRUPTED] = [2, 3, 130];
let pair: TwoClusters;
let root: string;
let job: string;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'neighbour');
  root = pair.root;
  await pair.b.call('PUT', 'SETPERMISSION', root, { permission: '777' });
  const files = Array.from({ length: 30 }, (_, i) => pair.a.put(`${root}/tree/f${i}`, `${i}`));
  const odd = ['\u001b[31mred', 'tab\there', '\u009b2Jclear'].map((name) =>
    pair.a.put(`${root}/tree/${name}`, name, { permission: '600' }),
  );
  await Promise.all([...files, ...odd]);
  const conf = pair.conf({ A: { user: 'mallory' }, B: { user: 'mallory' } });
  const { code, status } = await pair.run(['copy', `A:${root}/tree`, `B:${root}/first`], { conf });
  expect(code).toBe(1);
  job = status.Job;
});

/** Runs a line of bash, in which `hdfs-fanout` is the command. */
function bash(line: string, home = pair.home): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `hdfs-fanout() { '${process.execPath}' '${bin}' "$@"; }; ${line}`;
  const env = { ...process.env, WEBHDFS_CONFIG: bed.configFile, HDFS_FANOUT_HOME: home };
  return new Promise((resolve) => {
    const child = execFile('bash', ['-c', script], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe.concurrent('a reader that goes away', () => {
  test.each([
    ['jobs', 'jobs', 0],
    ['jobs --json', 'jobs --json', 0],
    ['status --failures', `status "$JOB" --failures`, 0],
    ['status, whose code is still the job’s', 'status "$JOB" --json 2>/dev/null', 1],
    ['--help', 'copy --help', 0],
  ])('ends %s quietly', async (_, command, code) => {
    // `:` has ended before a first byte can come.
    const { stdout, stderr } = await bash(`JOB=${job}; hdfs-fanout ${command} | :; echo "\${PIPESTATUS[0]}"`);
    expect({ stdout, stderr }).toEqual({ stdout: `${code}\n`, stderr: '' });
  });

  test('ends a dry run before it has looked at all', async () => {
    const line = `hdfs-fanout copy --dry-run A:${root}/tree B:${root}/never | :; echo "\${PIPESTATUS[0]}"`;
    expect(await bash(line)).toMatchObject({ stdout: '0\n', stderr: '' });
  });

  test.each([
    ['after the first line', '--json', 'head -1', ''],
    ['at once', '--json', ':', ''],
    ['of both outputs', '-vvv', ':', '2>&1'],
  ])('%s does not end a copy', async (_, flag, reader, both) => {
    const home = newHome();
    const to = `${root}/${reader === ':' ? 'at-once' : 'head'}${flag}`;
    const line = `hdfs-fanout copy ${flag} A:${root}/tree B:${to} ${both} | ${reader} >/dev/null; echo "\${PIPESTATUS[0]}"`;
    expect(await bash(line, home)).toMatchObject({ stdout: '0\n', stderr: '' });
    const source = await pair.a.tree(`${root}/tree`);
    expect(Object.keys(await pair.b.tree(to))).toHaveLength(Object.keys(source).length);
    expect((await pair.run(['jobs', '--json'], { home })).stdout).toContain('"Outcome":"Successful"');
  });
});

describe.concurrent('a full disk', () => {
  test.each(['jobs', `copy --json A:/neighbour/tree B:/neighbour/full-stdout`])(
    'under stdout is told by %s',
    async (command) => {
      const { stderr, stdout } = await bash(`hdfs-fanout ${command} >/dev/full; echo $?`);
      expect(stderr).toMatch(/^hdfs-fanout: cannot write to stdout: ENOSPC[^\n]*\n$/);
      expect(stdout).toBe(`${STOPPED}\n`);
    },
  );

  test('under the log file ends no copy', async () => {
    const { stderr, stdout } = await bash(
      `hdfs-fanout copy --log-file /dev/full A:${root}/tree B:${root}/full-log >/dev/null; echo $?`,
    );
    expect(stderr).toMatch(/^hdfs-fanout: cannot write the log file \/dev\/full: [^\n]*\n$/);
    expect(stdout).toBe('0\n');
  });

  // No file of the process may grow beyond so many KiB: what a full disk does, for a test that may not fill one.
  test.each([40, 60, 80, 100, 120])('under the records of jobs at %i KiB is one line', async (kib) => {
    const line = `ulimit -f ${kib}; hdfs-fanout copy A:${root}/tree B:${root}/full-${kib} >/dev/null; echo $?`;
    const { stderr, stdout } = await bash(line, newHome());
    if (stdout === '0\n') return;
    expect(stderr).toMatch(/^hdfs-fanout: cannot keep (?:the records of )?jobs[^\n]*\$HDFS_FANOUT_HOME[^\n]*\n$/);
    expect([`${USAGE}\n`, `${STOPPED}\n`]).toContain(stdout);
  });
});

describe.concurrent('names that a terminal would obey', () => {
  test('are escaped in failures', async () => {
    const { stdout } = await pair.run(['status', job, '--failures']);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    for (const name of ['\\u001b[31mred', 'tab\\there', '\\u009b2Jclear'])
      expect(stdout).toContain(`${root}/tree/${name}\n`);
  });
});

describe.concurrent('--json', () => {
  test.each([
    [['status', 'nothing', '--json'], USAGE],
    [['status', '--json'], USAGE],
    [['jobs', '--json', '--limit', '0'], USAGE],
    [['copy', '--json', '--nonsense'], USAGE],
    [['copy', '--json', '--resume', 'nothing'], USAGE],
    [['copy', '--json', '--log-file', '/dev/null/x', 'A:/x', 'B:/y'], USAGE],
    [['doctor', 'nowhere', '--json'], USAGE],
  ])('%j is refused with one object', async (args, code) => {
    const result = await pair.run(args);
    expect(result.code).toBe(code);
    expectOneLine(result, []);
    const message = result.stderr.replace(/^hdfs-fanout: /, '').trimEnd();
    expect(result.stdout).toBe(`${JSON.stringify({ type: 'error', message })}\n`);
  });
});

describe.concurrent('pages', () => {
  test.each([
    [['jobs', '--limit', '0'], 'at least 1'],
    [['jobs', '--limit', '-1'], 'at least 1'],
    [['status', 'JOB', '--failures', '--limit', 'many'], 'at least 1'],
    [['status', 'JOB', '--failures', '--after', 'nonsense'], '"nonsense" is not the mark of a failure'],
    [['status', 'JOB', '--failures', '--after', '1e3'], 'is not the mark of a failure'],
  ])('%j is refused', async (args, says) => {
    const result = await pair.run(args.map((arg) => (arg === 'JOB' ? job : arg)));
    expect(result.code).toBe(USAGE);
    expectOneLine(result, [says]);
  });
});

test('a second Ctrl-C ends a copy that waits for its clean-up', async () => {
  let hung = 0;
  await using faultProxy = await FaultProxy.start(bed.b, {
    react: ({ operation }) => {
      if (operation !== 'CREATE' && operation !== 'DELETE') return undefined;
      hung++;
      return 'hang';
    },
  });
  const conf = pair.conf({ B: { url: faultProxy.url } });
  const { child, ended } = startCli(['copy', `A:${root}/tree`, `B:${root}/second`], { conf, home: newHome() });
  while (hung === 0) await sleep(20);
  child.kill('SIGINT');
  await sleep(300);
  expect(child.exitCode).toBeNull();
  child.kill('SIGINT');
  expect((await ended).code).toBe(INTERRUPTED);
});

test('Ctrl-C in a dry run says that nothing was changed', async () => {
  let hung = 0;
  await using faultProxy = await FaultProxy.start(bed.a, {
    react: ({ operation }) => (operation === 'LISTSTATUS_BATCH' && ++hung > 0 ? 'hang' : undefined),
  });
  const conf = pair.conf({ A: { url: faultProxy.url } });
  const { child, ended } = startCli(['copy', '--dry-run', `A:${root}/tree`, `B:${root}/third`], { conf });
  while (hung === 0) await sleep(20);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect({ code, stdout, stderr }).toEqual({
    code: INTERRUPTED,
    stdout: '',
    stderr: 'hdfs-fanout: interrupted: nothing was changed\n',
  });
});

test('a part of the program that does not load is one line, and exit 3', async () => {
  const broken = mkdtempSync(join(tmpdir(), 'hdfs-fanout-broken-'));
  cpSync(join(repository, 'bin'), join(broken, 'bin'), { recursive: true });
  copyFileSync(join(repository, 'package.json'), join(broken, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(broken, 'node_modules'));
  cpSync(join(repository, 'dist'), join(broken, 'dist'), { recursive: true });
  writeFileSync(join(broken, 'dist/cli.js'), "import 'no-such-library';\n");
  const { code, stderr } = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [join(broken, 'bin/hdfs-fanout.js'), 'jobs'], (_, __, text) =>
      resolve({ code: child.exitCode, stderr: text }),
    );
  });
  expect(stderr).toMatch(/^hdfs-fanout: unexpected error: [^\n]*no-such-library[^\n]*\n$/);
  expect(code).toBe(STOPPED);
});
