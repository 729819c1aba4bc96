// The emulator itself: ministack with what it needs, from PyPI, in a virtual environment that is made once.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Say, makeOnce } from '../../bed/jars.ts';
import { type Outcome, runProgram } from '../../bed/tools.ts';

/** Versions and hashes of all packages. Made by `pip-compile --generate-hashes` from the line in its head. */
const requirements = join(import.meta.dirname, 'requirements.txt');

const hint =
  'the AWS emulator needs Python 3.11 or later with venv (Debian, Ubuntu: apt-get install python3 python3-venv)';

const asked = async (args: string[]): Promise<Outcome> => {
  try {
    return await runProgram('python3', args);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`python3 not found: ${hint}`, { cause: error });
  }
};

const pythonVersion = async (): Promise<string> => {
  const { stdout } = await asked(['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.base_prefix)']);
  const [, minor] = /^3\.(\d+)\./.exec(stdout) ?? [];
  if (minor === undefined || Number(minor) < 11) throw new Error(`python3 is version ${stdout.trim()}: ${hint}`);
  const { code } = await asked(['-c', 'import venv, ensurepip']);
  if (code !== 0) throw new Error(`python3 has no venv: ${hint}`);
  return stdout.trim();
};

const must = async (program: string, args: string[], doing: string): Promise<void> => {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0)
    throw new Error(`${doing} failed\n${`${stdout}\n${stderr}`.trim().split('\n').slice(-20).join('\n')}`);
};

/** @returns the Python that has ministack; at once if it is there */
export const getPython = async (say: Say = () => undefined): Promise<string> => {
  // An environment is made for one Python: another gets its own.
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .update(await pythonVersion());
  const dir = await makeOnce(`emulator-${hash.digest('hex').slice(0, 8)}`, async (making) => {
    say('getting the AWS emulator (ministack) from PyPI');
    await must('python3', ['-m', 'venv', making], 'making a virtual environment');
    // Only what the list names, as the list knows it.
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    install.push('--require-hashes', '--only-binary', ':all:', '-r', requirements);
    await must(join(making, 'bin', 'python'), install, 'getting the AWS emulator');
  });
  return join(dir, 'bin', 'python');
};
