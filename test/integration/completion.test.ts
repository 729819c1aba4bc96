import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { requirePrograms } from '../bed/packages.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What shells complete, each with its own script. */

const bed = inject('bed');
const TAB = '\t';
let pair: TwoClusters;
let job: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  await requirePrograms(['zsh', 'fish']);
  pair = await TwoClusters.make(bed, 'completion');
  await pair.a.put(`${pair.root}/file`, 'content');
  job = (await pair.run(['copy', `A:${pair.root}/file`, `B:${pair.root}/copy`])).status.Job;
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-completion-'));
  const program = join(directory, 'hdfs-fanout');
  const bin = join(import.meta.dirname, '../../bin/hdfs-fanout.js');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(directory, 'unique-file.log'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await pair.run(['completion', shell]);
    writeFileSync(join(directory, `completion.${shell}`), stdout);
  }
  env = {
    ...process.env,
    PATH: [directory, process.env['PATH'] ?? ''].join(delimiter),
    HDFS_FANOUT_HOME: pair.home,
    WEBHDFS_CONFIG: pair.conf(),
    HOME: directory,
    PS1: '> ',
    TERM: 'dumb',
  };
});

/**
 * Starts an interactive shell in a terminal of its own, types, and waits until it shows what is expected, which was not typed.
 * @param then  is typed after that, and must follow at once
 */
async function shows(command: string, begin: string, typed: string, expected: string, then = ''): Promise<void> {
  expect(typed).not.toContain(expected);
  const shell = spawn('script', ['-qec', command, '/dev/null'], { env, cwd: env['HOME'], stdio: 'pipe' });
  let shown = '';
  try {
    await new Promise<void>((resolve, reject) => {
      let [isReady, hasGoneOn] = [false, false];
      shell.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text;
        // The shell says so once it has run what was typed first: what it shows of that says it in two words.
        if (!isReady && shown.includes('is-ready')) {
          isReady = true;
          shown = '';
          shell.stdin.write(typed);
        } else if (isReady && shown.includes(expected)) {
          if (then === '' || shown.includes(expected + then)) resolve();
          else if (!hasGoneOn) shell.stdin.write(then);
          hasGoneOn = true;
        }
      });
      shell.on('close', () => reject(new Error(`${command} ended: ${shown}`)));
      shell.stdin.write(`${begin}; echo is-""ready\n`);
    });
  } finally {
    shell.stdin.destroy();
    shell.kill('SIGKILL');
  }
}

const interactive = {
  bash: ['bash --norc -i', 'source completion.bash'],
  zsh: ['zsh -f -i', 'PS1="> "; autoload -U compinit; compinit -u -D; source ./completion.zsh'],
} as const;

describe.each(['bash', 'zsh'] as const)('%s completes', (shell) => {
  const completes = (typed: string, expected: string, then?: string) =>
    shows(interactive[shell][0], interactive[shell][1], `hdfs-fanout ${typed}${TAB}`, expected, then);

  test('commands', () => completes('clea', 'clean '));
  test('commands of commands', () => completes('jobs pr', 'prune '));
  test('options, of a copy without its name too', () => completes('--track', '--track-missing'));
  test('values of options', () => completes('verify --level read', 'read-back'));
  test('values after =', () => completes('copy --verify=len', 'length'));
  test('lists of attributes', () => completes('copy --attributes owner,storage', 'owner,storagepolicy'));
  test('jobs', () => completes(`status ${job.slice(0, 4)}`, job));
  test('files', () => completes('copy --log-file uniq', 'unique-file.log'));
  test('clusters, without a space behind', () => completes('copy loc', 'local:', '/x'));
});

describe('fish completes', () => {
  test.each([
    ['clea', ['clean']],
    ['jobs pr', ['prune']],
    ['--track', ['--track-missing']],
    ['verify --level read', ['read-back']],
    ['copy --verify=len', ['--verify=length']],
    ['copy --attributes owner,storage', ['owner,storagepolicy']],
    ['copy ', ['A:', 'B:', 'local:']],
    ['copy --src ', ['A', 'B', 'local']],
    ['copy --log-file uniq', ['unique-file.log']],
  ])('%s', async (typed, expected) => {
    expect(await completed(typed)).toEqual(expected);
  });

  test('jobs', async () => {
    expect(await completed(`status ${job.slice(0, 4)}`)).toEqual([job]);
  });
});

function completed(typed: string): Promise<string[]> {
  const commands = `source completion.fish; complete -C ${JSON.stringify(`hdfs-fanout ${typed}`)}`;
  const fish = spawn('fish', ['--no-config', '-c', commands], {
    env,
    cwd: env['HOME'],
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let shown = '';
  fish.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  return new Promise((resolve, reject) => {
    fish.on('error', reject);
    fish.on('close', () =>
      resolve(
        shown
          .split('\n')
          .filter(Boolean)
          .map((line) => line.split('\t')[0] ?? '')
          .sort(),
      ),
    );
  });
}
