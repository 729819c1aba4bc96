// pydistcp as a Python user has it today: the published sources, brought to Python 3 by 2to3, in an environment of its own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** pydistcp is Python 2, and what turns it into Python 3 left Python with 3.13; pywhdfs needs `imp`, which left with 3.12. */
const interpreters = ['python3', 'python3.11', 'python3.10', 'python3.9'];
const probe = 'import warnings; warnings.simplefilter("ignore"); import lib2to3, imp, venv, ensurepip';

/** What both import without Kerberos. */
const libraries = ['docopt==0.6.2', 'progressbar==2.5', 'requests==2.34.2', 'jsonschema==4.26.0'];
const tools = ['pydistcp==1.0.7', 'pywhdfs==1.1.3'];

const usablePython = async (): Promise<string> => {
  for (const python of interpreters) {
    const works = await run(python, ['-c', probe]).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  throw new Error(
    'pydistcp needs a Python with lib2to3, imp and venv (3.9 to 3.11), and none was found: install python3.11',
  );
};

/** Makes the environment once. @returns the program */
export const getPydistcp = async (environment: string, say: (line: string) => void): Promise<string> => {
  const program = join(environment, 'bin', 'pydistcp');
  if (existsSync(program)) return program;
  const python = await usablePython();
  say('installing pydistcp');
  await rm(environment, { recursive: true, force: true });
  // Its programs name the environment by path, so it is made in place, and what marks it whole comes last.
  await run(python, ['-m', 'venv', environment]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const own = join(environment, 'bin', 'python');
  await run(own, [...pip, ...libraries]);
  // Their own requirements ask for Kerberos libraries, which have to be compiled and are not used here.
  await run(own, [...pip, '--no-deps', ...tools]);
  await rename(program, `${program}.made`);
  const [lib = ''] = await readdir(join(environment, 'lib'));
  const sources = join(environment, 'lib', lib, 'site-packages', 'pydistcp');
  await run(own, ['-W', 'ignore', '-m', 'lib2to3', '--write', '--nobackups', sources]);
  await rename(`${program}.made`, program);
  return program;
};
