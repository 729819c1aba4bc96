import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { newHome } from '../support/cli.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What a user gets from the registry, and what a clone of the repository gives. */

const bed = inject('bed');
const checkout = join(import.meta.dirname, '../..');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with the Node that runs this test first in its path. */
function run(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env: { ...process.env, ...env, PATH: path } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
    });
  });
}

async function runOrFail(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, cwd);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

describe('the package', () => {
  let directory: string;
  let bin: string;

  beforeAll(async () => {
    const packed = mkdtempSync(join(tmpdir(), 'hdfs-fanout-pack-'));
    // Without scripts: they would build anew, under the feet of the tests that run beside this one.
    const name = await runOrFail(
      'npm',
      ['pack', '--ignore-scripts', '--silent', '--pack-destination', packed],
      checkout,
    );
    directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-install-'));
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
    const flags = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'];
    await runOrFail('npm', ['install', ...flags, join(packed, name.trim())], directory);
    bin = join(directory, 'node_modules/.bin/hdfs-fanout');
  });

  test('holds the built command line and the documentation, no sources and no tests', () => {
    const files = readdirSync(join(directory, 'node_modules/hdfs-fanout'), { recursive: true, encoding: 'utf8' });
    const wanted = [
      'package.json',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'bin/hdfs-fanout.js',
      'dist/cli.js',
      'dist/man/hdfs-fanout.1',
    ];
    expect(files).toEqual(expect.arrayContaining(wanted));
    expect(
      files.filter((name) => /(?:(?<!\.d)\.ts|\.(?:env|db|log|tgz))$|^(?:test|node_modules|\.)/.test(name)),
    ).toEqual([]);
  });

  test('tells its version', async () => {
    expect(await run(bin, ['--version'], directory)).toEqual({
      code: 0,
      stdout: `${packageJson.version}\n`,
      stderr: '',
    });
  });

  test('copies', async () => {
    const { a, b, root } = await TwoClusters.make(bed, 'packaging');
    await a.put(`${root}/tree/dir/file`, 'content');
    const env = { WEBHDFS_CONFIG: bed.configFile, HDFS_FANOUT_HOME: newHome() };
    const { code, stdout, stderr } = await run(bin, ['copy', `A:${root}/tree`, `B:${root}/tree`], directory, env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('"Outcome": "Successful"');
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });
});

test('npx in a clone runs the clone, and changes nothing in it', async () => {
  const tracked = ['package.json', 'package-lock.json', 'bin/hdfs-fanout.js', 'dist/cli.js'];
  const contents = () => tracked.map((name) => readFileSync(join(checkout, name), 'utf8'));
  const state = async () => [
    await runOrFail('git', ['status', '--porcelain', '--', '*.json', 'bin', '.npmrc'], checkout),
  ];
  const before = [contents(), await state()];
  // Without scripts: npm would build the clone anew, under the feet of the tests that run beside this one.
  const env = { npm_config_ignore_scripts: 'true' };
  const { code, stdout } = await run('npx', ['--no-install', 'hdfs-fanout', '--version'], checkout, env);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${packageJson.version}\n` });
  expect([contents(), await state()]).toEqual(before);
});

test('an older Node says in one line what is needed', async () => {
  const script = join(checkout, packageJson.bin['hdfs-fanout']);
  // The launcher's text is of any age: it is run as it is by a Node that says it is old.
  const pretend = `
    Object.defineProperty(process, 'version', { value: 'v18.20.0' });
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } });
    require(${JSON.stringify(script)});
  `;
  const stderr = 'hdfs-fanout needs Node 24 or newer, and this is v18.20.0\n';
  expect(await run(process.execPath, ['-e', pretend], checkout)).toEqual({ code: 2, stdout: '', stderr });
  // Nothing that an old Node would not parse: no import before the check, no syntax of this decade.
  const text = readFileSync(script, 'utf8');
  expect(text).not.toMatch(/^import |=>|\?\.|\?\?|`|\bconst\b|\blet\b|\bawait\b/m);
});
