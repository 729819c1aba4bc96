import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  makeKerberosHome,
  removeKerberosHomesOf,
  removeKerberosLeftovers,
} from '../../../../shared/hdfs/kerberos-leftovers.ts';

const module = JSON.stringify(import.meta.resolve('../../../../shared/hdfs/kerberos-leftovers.ts'));
const before = process.env['TMPDIR'];

beforeEach(() => {
  process.env['TMPDIR'] = mkdtempSync(join(tmpdir(), 'hdfs-fanout-leftovers-'));
});
afterEach(() => {
  rmSync(tmpdir(), { recursive: true, force: true });
  process.env['TMPDIR'] = before;
});

/** A process that has a home with a keytab in it, and lives until it is killed. */
async function other() {
  const code = `import { makeKerberosHome } from ${module}; console.log(makeKerberosHome()); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const home = line.toString().trim();
  writeFileSync(join(home, 'client.keytab'), 'secret');
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await once(child, 'exit');
  };
  return { home, kill };
}

it('removes what a killed process left, and nothing of one that lives', async () => {
  const own = makeKerberosHome();
  const [dead, alive] = await Promise.all([other(), other()]);
  try {
    await dead.kill('SIGKILL');
    expect(existsSync(dead.home)).toBe(true);
    removeKerberosLeftovers();
    expect(readdirSync(tmpdir()).sort()).toEqual([basename(own), basename(alive.home)].sort());
  } finally {
    await alive.kill('SIGKILL');
  }
  removeKerberosLeftovers();
  expect(readdirSync(tmpdir())).toEqual([basename(own)]);
});

it('removes what one killed process left, before anybody has asked how it ended', () => {
  const own = makeKerberosHome();
  const killed = own.replace(`-${process.pid}-`, '-99999999-');
  mkdirSync(killed);
  removeKerberosHomesOf(9_999_999);
  expect(existsSync(killed)).toBe(true);
  removeKerberosHomesOf(99_999_999);
  expect(readdirSync(tmpdir())).toEqual([basename(own)]);
});

it('takes a process that has the number of a dead one for another', () => {
  const home = makeKerberosHome().replace(/-\d+-(\w+)$/, '-1-$1');
  mkdirSync(home);
  removeKerberosLeftovers();
  expect(existsSync(home)).toBe(false);
});

it('leaves alone what is elsewhere, not ours, or no directory', () => {
  // Higher than any process number.
  const left = makeKerberosHome().replace(/-\d+-\d+-\w+$/, '-99999999-1-');
  const [foreign, file, link, elsewhere] = [
    `${left}foreign`,
    `${left}file`,
    `${left}link`,
    join(tmpdir(), 'elsewhere'),
  ];
  const otherHost = left.replace(/krb5-\w{8}/, 'krb5-00000000');
  for (const directory of [foreign, elsewhere, `${otherHost}x`, join(tmpdir(), 'hdfs-fanout-krb5-abc')])
    mkdirSync(directory);
  writeFileSync(file, '');
  symlinkSync(elsewhere, link);
  // Only root can give a directory away.
  if (process.getuid?.() === 0) chownSync(foreign, 12_345, 12_345);
  else rmSync(foreign, { recursive: true });
  const names = readdirSync(tmpdir()).sort();
  removeKerberosLeftovers();
  expect(readdirSync(tmpdir()).sort()).toEqual(names);
});
