import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { newHome } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What a person, a script and a terminal are told. */

const bed = inject('bed');
const MIB = 1024 * 1024;
const COLUMNS = 80;
const bin = join(import.meta.dirname, '../../bin/hdfs-fanout.js');
let pair: TwoClusters;
let root: string;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'output');
  root = pair.root;
  await pair.a.put(`${root}/tree/dir/file`, 'content');
  await pair.a.put(`${root}/tree/new\nline`, 'odd');
  await pair.a.put(`${root}/tree/empty`, '');
  await pair.b.mkdirs(`${root}/out`);
});

const pydistcpKeys = [
  'Source Path',
  'Destination Path',
  'Start Time',
  'End Time',
  'Duration',
  'Outcome',
  ...['Files', 'Size'].flatMap((of) => ['Expected', 'Copied', 'Failed', 'Skipped', 'Deleted'].map((n) => `${of} ${n}`)),
];

describe.concurrent('--help', () => {
  test.each([
    [],
    ['copy'],
    ['start'],
    ['retry'],
    ['set'],
    ['jobs'],
    ['jobs', 'prune'],
    ['completion'],
    ['status'],
    ['verify'],
    ['doctor'],
    ['clean'],
    ['clusters'],
    ['clusters', 'import'],
  ])('%s fits the terminal', async (...command) => {
    const { code, stdout, stderr } = await pair.run([...command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: hdfs-fanout/);
    expect(stdout.split('\n').filter((line) => line.length > COLUMNS)).toEqual([]);
  });

  test.each([[], ['copy']])('%s lists exit codes and examples', async (...command) => {
    const { stdout } = await pair.run([...command, '--help']);
    const listed = [...stdout.matchAll(/^ {2}(\d+) +\S/gm)].map((match) => Number(match[1]));
    expect(listed).toEqual([0, 1, 2, 3, 130]);
    expect(stdout.match(/^ {2}hdfs-fanout .*:\/\S*$|^ {2}hdfs-fanout .*--threads=10$/gm)).toHaveLength(6);
  });

  test('stands in for a command that only holds others', async () => {
    const { code, stderr } = await pair.run(['clusters']);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: hdfs-fanout clusters');
    expect(stderr).toMatch(/\nhdfs-fanout: name one of these commands\n$/);
  });

  test('of status lists the exit code of a running job as well', async () => {
    const { stdout } = await pair.run(['status', '--help']);
    expect([...stdout.matchAll(/^ {2}(\d+) +\S/gm)].map((match) => Number(match[1]))).toEqual([0, 1, 2, 3, 4, 130]);
  });

  test('its examples are run as they stand, but for the names', async () => {
    const { stdout } = await pair.run(['--help']);
    const examples = [...stdout.matchAll(/^ {2}hdfs-fanout (.*)$/gm)].map((match) => match[1] ?? '');
    const own = (example: string, index: number) =>
      example
        .replaceAll("'", '')
        .replace('local:/tmp/report.csv', `local:${bin}`)
        .replace(/\bstaging\b/, 'A')
        .replace(/\bprod\b/, 'B')
        .replace(/\/(?:data\/outgoing|data\/2024|logs\/\S+)/, `${root}/tree`)
        .replace(/\/(?:data\/incoming|data\/2024|logs|reports\/)(?= |$)/, `${root}/out/${index}`);
    for (const [index, example] of examples.entries()) {
      const { code, stderr } = await pair.run(own(example, index).split(' '));
      const said = example.includes('--plan-only') ? /^hdfs-fanout: planned, .*--resume \S+\n$/ : /^$/;
      expect({ code, stderr }, own(example, index)).toEqual({ code: 0, stderr: expect.stringMatching(said) as string });
    }
  });
});

test.concurrent('--version', async () => {
  expect(await pair.run(['--version'])).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
});

test.concurrent('pydistcp’s own command line, without a subcommand', async () => {
  const args = ['-f', '-s', 'A', '-d', 'B', '--threads=4', `${root}/tree`, `${root}/out/pydistcp`];
  const { code, stdout, stderr, status } = await pair.run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Job Status:\n\{\n/);
  expect(Object.keys(status).slice(0, 16)).toEqual(pydistcpKeys);
  expect(status).toMatchObject({
    'Source Path': `${root}/tree`,
    'Destination Path': `${root}/out/pydistcp`,
    Outcome: 'Successful',
    'Files Expected': 3,
    'Files Copied': 3,
    'Size Copied': 10,
  });
  for (const key of ['Start Time', 'End Time'] as const)
    expect(status[key]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  expect(await pair.b.tree(`${root}/out/pydistcp`)).toEqual(await pair.a.tree(`${root}/tree`));
});

test.concurrent('--silent and a stderr that is no terminal say nothing on success', async () => {
  for (const flags of [['--silent'], []]) {
    const name = `${root}/out/silent${flags.length}`;
    const { code, stderr, stdout } = await pair.run(['copy', ...flags, `A:${root}/tree`, `B:${name}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Job Status:\n/);
  }
});

describe.concurrent('--json', () => {
  const events = (stdout: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('is one object a line, the status last', async () => {
    const { code, stdout, stderr } = await pair.run(['--json', `A:${root}/tree`, `B:${root}/out/json`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const all = events(stdout);
    expect(all.map(({ type }) => type)).toEqual(['file', 'file', 'file', 'status']);
    expect(
      all
        .slice(0, 3)
        .map(({ path }) => String(path).slice(root.length + 6))
        .sort(),
    ).toEqual(['dir/file', 'empty', 'new\nline']);
    expect(all[0]).toMatchObject({ outcome: 'copied', verification: 'checksum', retries: 0 });
    expect(Object.keys(all[3] ?? {}).slice(1, 17)).toEqual(pydistcpKeys);
  });

  test('tells a refusal as well', async () => {
    const { code, stdout } = await pair.run(['--json', `A:${root}/nothing`, `B:${root}/out/json`]);
    expect(code).toBe(3);
    const message = expect.stringContaining('no source matches') as string;
    expect(events(stdout)).toEqual([{ type: 'error', message }]);
  });

  test('tells the jobs', async () => {
    const home = newHome();
    await pair.run(['copy', `A:${root}/tree`, `B:${root}/out/json-jobs`], { home });
    const { stdout } = await pair.run(['jobs', '--json'], { home });
    expect(events(stdout)).toMatchObject([{ type: 'status', Outcome: 'Successful', 'Files Copied': 3 }]);
  });
});

describe.concurrent('--dry-run', () => {
  test('tells what would be done to each file, with totals, and changes nothing', async () => {
    const own = await TwoClusters.make(bed, 'output-dry');
    const { a, b, root: dry } = own;
    const put = async (name: string, source: string, destination?: string) => {
      await a.put(`${dry}/tree/${name}`, source);
      if (destination !== undefined) await b.put(`${dry}/tree/${name}`, destination);
    };
    await put('absent', '12345');
    await put('dir/absent', '12345');
    await put('same', 'same', 'same');
    await put('other', 'other', 'OTHER');
    await put('longer', 'longer', 'long');
    await a.put(`${dry}/tree/blocked`, 'a file');
    await b.mkdirs(`${dry}/tree/blocked`);
    const before = await own.trees();
    const home = newHome();
    const plan = async (...flags: string[]) =>
      own.run(['copy', '--dry-run', '--exact', ...flags, `A:${dry}/tree`, `B:${dry}/tree`], { home });
    const forced = await plan('--force');
    expect([forced.code, forced.stderr]).toEqual([1, '']);
    const line = (action: string, name: string, reason = '') =>
      `${action.padEnd(9)} ${dry}/tree/${name} -> ${dry}/tree/${name}${reason}`;
    expect(forced.stdout.trimEnd().split('\n')).toEqual([
      line('copy', 'absent'),
      line('fail', 'blocked', '  (a directory stands at the destination: remove it, or copy with --exact --delete)'),
      line('copy', 'dir/absent'),
      line('overwrite', 'longer', '  (length differs)'),
      line('overwrite', 'other', '  (content differs)'),
      line('skip', 'same', '  (identical content)'),
      'Would: copy 2 files, 10 B; fail 1 files, 6 B; overwrite 2 files, 11 B; skip 1 files, 4 B',
    ]);
    const gentle = await plan('--json');
    const actions = gentle.stdout
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { action?: string }).action);
    expect([gentle.code, actions]).toEqual([1, ['copy', 'fail', 'copy', 'fail', 'fail', 'skip', undefined]]);
    expect(await own.trees()).toEqual(before);
    expect((await own.run(['jobs'], { home })).stdout).toBe('');
  });

  test('asks no cluster for a change', async () => {
    await using faultProxy = await FaultProxy.start(bed.b);
    const conf = pair.conf({ B: { url: faultProxy.url } });
    const { code } = await pair.run(['--dry-run', '-p', `A:${root}/tree`, `B:${root}/out/never`], { conf });
    expect(code).toBe(0);
    expect([...new Set(faultProxy.requests.map(({ operation }) => operation))]).toEqual(['GETFILESTATUS']);
  });
});

describe.concurrent('a terminal', () => {
  /** Runs a copy whose stdin, stdout and stderr are a terminal of 80 columns. */
  const onTerminal = async (args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> => {
    const command = ['stty', 'cols', `${COLUMNS}`, 'rows', '25;', process.execPath, bin, ...args].join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
    return shown;
  };

  test('shows a progress bar that fits and ends with 100 %', async () => {
    const own = await TwoClusters.make(bed, 'output-terminal');
    for (let i = 0; i < 4; i++) await own.a.put(`${own.root}/tree/f${i}`, content(`${i}`, MIB));
    await own.b.put(`${own.root}/tree/f0`, content('0', MIB));
    await using faultProxy = await FaultProxy.start(bed.a, {
      datanodes: true,
      react: ({ operation, to }) => (operation === 'OPEN' && to === 'datanode' ? { bytesPerSecond: MIB } : undefined),
    });
    const conf = own.conf({ A: { url: faultProxy.url } });
    const colours = { TERM: 'xterm', NO_COLOR: '' };
    const env = { ...process.env, ...colours, WEBHDFS_CONFIG: conf, HDFS_FANOUT_HOME: newHome() };
    const args = ['copy', '--force', '--exact', `A:${own.root}/tree`, `B:${own.root}/tree`];
    const shown = await onTerminal(args, env);
    const [bar = '', status = ''] = shown.split('Job Status:');
    expect(status).toContain('"Outcome": "Successful"');
    const lines = bar
      .replace(/\u001b\[[\d;?]*[A-Za-z]/g, '\n')
      .split(/[\r\n]+/)
      .filter((text) => text.includes('%'));
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((text) => text.length >= COLUMNS)).toEqual([]);
    // The file that was there already counts as done.
    expect(lines.at(-1)).toMatch(/^100\.0% 4\.0 MiB of 4\.0 MiB .*\bC(?:omplete)?: ?4\b/i);
    expect(lines.slice(0, -1).join('\n')).toMatch(/^ *[1-9]\d?\.\d% .* of 4\.0 MiB .*iB\/s/m);
    // The cursor is shown again.
    expect(bar).toContain('\u001b[?25h');
  });

  test('is left alone by --silent', async () => {
    const env = { ...process.env, WEBHDFS_CONFIG: pair.conf(), HDFS_FANOUT_HOME: newHome() };
    const shown = await onTerminal(['copy', '--silent', `A:${root}/tree`, `B:${root}/out/terminal`], env);
    expect(shown).toMatch(/^Job Status:\r\n/);
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('gets no escapes with %j', async (wish) => {
    const home = newHome();
    const env = {
      ...process.env,
      TERM: 'xterm',
      NO_COLOR: '',
      ...wish,
      WEBHDFS_CONFIG: pair.conf(),
      HDFS_FANOUT_HOME: home,
    };
    const to = `B:${root}/out/${Object.keys(wish).join('')}`;
    for (const args of [
      ['copy', `A:${root}/tree`, to],
      ['jobs'],
      ['verify', `A:${root}/tree`, to],
      ['copy', '--help'],
    ]) {
      const shown = await onTerminal(args, env);
      expect(shown.length).toBeGreaterThan(10);
      expect(shown).not.toContain('\u001b');
    }
  });
});

test.concurrent('a pipe gets no escapes, whoever wants colours', async () => {
  const env = { FORCE_COLOR: '3', CLICOLOR_FORCE: '1', COLORTERM: 'truecolor' };
  for (const args of [
    ['-vvvv', `A:${root}/tree`, `B:${root}/out/pipe`],
    ['jobs'],
    ['copy', '--help'],
    ['nonsense', 'x'],
  ]) {
    const { stdout, stderr } = await pair.run(args, { env });
    expect(stdout + stderr).not.toContain('\u001b');
  }
});

describe.concurrent('logging', () => {
  test('--log-file holds a JSON object a line for each file', async () => {
    const file = join(newHome(), 'made/for/it/copy.log');
    const { code, stderr } = await pair.run(['--log-file', file, `A:${root}/tree`, `B:${root}/out/log`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(3);
    expect(lines).toContainEqual(
      expect.objectContaining({
        path: `${root}/tree/dir/file`,
        outcome: 'copied',
        msg: 'copied',
        verification: 'checksum',
      }),
    );
    expect(readFileSync(file, 'utf8')).not.toMatch(/https?:|user\.name|delegation/);
  });

  test('-vvv writes a line for each file to stderr', async () => {
    const { code, stderr } = await pair.run(['-vvv', `A:${root}/tree`, `B:${root}/out/verbose`]);
    expect(code).toBe(0);
    expect(stderr.trimEnd().split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^info: copied path=.*dir\/file outcome=copied/m);
  });
});
