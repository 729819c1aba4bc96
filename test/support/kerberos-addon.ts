import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addonPrograms, requirePrograms } from '../bed/packages.ts';
import { runProgram } from '../bed/tools.ts';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '../..');

/** Why the addon does not load, or undefined. In a process of its own: a failure to load is remembered. */
async function trouble(): Promise<string | undefined> {
  const { code, stderr } = await runProgram(process.execPath, ['-e', 'require("kerberos")'], { cwd: root });
  return code === 0 ? undefined : (/Error: .*/.exec(stderr)?.[0] ?? stderr);
}

/** An optional dependency that npm leaves out without a word where it cannot build it: here it is not optional. */
export default async function setup(): Promise<void> {
  if ((await trouble()) === undefined) return;
  await requirePrograms(addonPrograms);
  const { optionalDependencies } = require('../../package.json') as { optionalDependencies: { kerberos: string } };
  const wanted = `kerberos@${optionalDependencies.kerberos}`;
  const npm = await runProgram('npm', ['install', '--no-save', '--no-audit', '--no-fund', wanted], { cwd: root });
  const left = await trouble();
  if (left !== undefined) throw new Error(`npm install ${wanted} gives no addon that loads: ${left} ${npm.stderr}`);
}
