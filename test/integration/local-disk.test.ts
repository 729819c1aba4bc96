import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { newHome } from '../support/cli.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** Downloads to disks that are full, take no hard links, or take no large files. */

const bed = inject('bed');
const SOME_FAILED = 1;
const bin = join(import.meta.dirname, '../../bin/hdfs-fanout.js');
const scratch = () => mkdtempSync(join(tmpdir(), 'hdfs-fanout-disk-'));
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'local-disk');
  for (const name of ['a', 'dir/b']) await pair.a.put(`${pair.root}/tree/${name}`, name);
  await pair.a.put(`${pair.root}/large/large`, Buffer.alloc(3 * 1024 * 1024, 'l'));
  await pair.a.put(`${pair.root}/large/small`, 'small');
});

/** Options of Node that make system calls fail as a kernel would. @param refuse  statements over `fs` and `error(number)` */
function withCalls(refuse: string): { NODE_OPTIONS: string } {
  const file = join(scratch(), 'refuse.mjs');
  writeFileSync(
    file,
    `import fs from 'node:fs';
     import { syncBuiltinESMExports } from 'node:module';
     const error = (code, syscall) => Object.assign(new Error(code + ': refused, ' + syscall), { code, syscall });
     ${refuse}
     syncBuiltinESMExports();`,
  );
  return { NODE_OPTIONS: `--import=${file}` };
}

const noLinks = (code: string) => `fs.promises.link = async () => { throw error('${code}', 'link'); };`;

describe('a disk without hard links', () => {
  test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])(
    'which says so by %s takes every file, and nothing temporary stays',
    async (code) => {
      const top = scratch();
      const args = ['copy', '--silent', `A:${pair.root}/tree`, `local:${top}/tree`];
      const copied = await pair.run(args, { env: withCalls(noLinks(code)) });
      expect(copied.code, copied.stderr).toBe(0);
      expect(readdirSync(top, { recursive: true }).sort()).toEqual(['tree', 'tree/a', 'tree/dir', 'tree/dir/b']);
      expect(readFileSync(join(top, 'tree/dir/b'), 'utf8')).toBe('dir/b');
    },
  );

  test('keeps a file that appeared meanwhile', async () => {
    const top = scratch();
    // As another program would, between planning and the last step.
    const appear = `fs.promises.link = async (from, to) => { fs.writeFileSync(to, 'theirs'); throw error('EPERM', 'link'); };`;
    const { code, status } = await pair.run(['copy', `A:${pair.root}/tree/a`, `local:${top}/a`], {
      env: withCalls(appear),
    });
    expect({ code, failed: status['Files Failed'] }).toEqual({ code: SOME_FAILED, failed: 1 });
    expect(readFileSync(join(top, 'a'), 'utf8')).toBe('theirs');
    expect(readdirSync(top)).toEqual(['a']);
  });

  test('where the last step fails as well nothing stays, not even an empty file', async () => {
    const top = scratch();
    const both = `${noLinks('EPERM')}
      const { rename } = fs.promises;
      fs.promises.rename = async (from, to) => {
        if (from.includes('_hdfs-fanout.')) throw error('EACCES', 'rename');
        return rename(from, to);
      };`;
    const args = ['copy', '--silent', `A:${pair.root}/tree`, `local:${top}/tree`];
    const { code, status } = await pair.run(args, { env: withCalls(both) });
    expect({ code, failed: status['Files Failed'] }).toEqual({ code: SOME_FAILED, failed: 2 });
    expect(readdirSync(top, { recursive: true }).sort()).toEqual(['tree', 'tree/dir']);
  });

  test('refuses a name for its own reasons: denied stays denied', async () => {
    const top = scratch();
    const args = ['copy', '--silent', `A:${pair.root}/tree`, `local:${top}/tree`];
    const { code, stderr } = await pair.run(args, { env: withCalls(noLinks('EACCES')) });
    expect(code).toBe(SOME_FAILED);
    const failures = await pair.run(['status', / status (\S+) /.exec(stderr)?.[1] ?? '', '--failures']);
    expect(failures.stdout).toContain('EACCES: refused (grant the permission');
    expect(readdirSync(top, { recursive: true }).sort()).toEqual(['tree', 'tree/dir']);
  });
});

/** Runs a shell script with `"$@"` for the command that copies `/large`. @returns how it ended, and what it printed */
async function shell(script: string, target: string, home: string, env: NodeJS.ProcessEnv = {}) {
  const args = ['copy', '--json', `A:${pair.root}/large`, `local:${target}`];
  const child = spawn('bash', ['-ec', script, 'bash', process.execPath, bin, ...args], {
    env: { ...process.env, WEBHDFS_CONFIG: bed.configFile, HDFS_FANOUT_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('a disk that cannot hold a file', () => {
  test('because it is full: one try, a remedy, and nothing of the file stays', async () => {
    const mounted = scratch();
    // A file system of a megabyte that only this command sees.
    const script = `mount -t tmpfs -o size=1m hdfs-fanout "${mounted}"
      code=0; "$@" || code=$?
      echo "left: $(cd "${mounted}" && find . -type f | sort | tr '\\n' ' ')"; exit $code`;
    const { code, output } = await shell(
      `exec unshare --user --map-root-user --mount bash -ec '${script.replaceAll("'", `'\\''`)}' bash "$@"`,
      `${mounted}/large`,
      newHome(),
    );
    if (/unshare failed|permission denied|must be superuser/i.test(output)) {
      throw new Error(`this test needs a kernel that lets it mount a tmpfs in a namespace of its own: ${output}`);
    }
    expect(code, output).toBe(SOME_FAILED);
    expect(output).toMatch(/ENOSPC: no space left on device \(free space on the disk/);
    expect(output).toContain('left: ./large/small \n');
    expect(output).toMatch(/"outcome":"failed"[^\n]*"retries":0/);
  });

  test('because it is too large for it', async () => {
    const top = scratch();
    const { code, output } = await shell('ulimit -f 2048; "$@"', `${top}/large`, newHome(), {
      ...withCalls(`process.on('SIGXFSZ', () => undefined);`),
    });
    expect(code, output).toBe(SOME_FAILED);
    expect(output).toMatch(/EFBIG: file too large \(the disk takes no file of this size/);
    expect(output).toMatch(/"outcome":"failed"[^\n]*"retries":0/);
    expect(readdirSync(join(top, 'large'))).toEqual(['small']);
    expect(existsSync(join(top, 'large/large'))).toBe(false);
  });
});
