import { expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';
import { temporaryNames } from '../support/two-clusters.ts';

/** `undo` of a job that was killed, and `undo` that is killed itself: whatever the moment, all comes back. */

const bed = inject('bed');
const FILES = 60;
const KILLS = 6;

const REPLACED = Array.from({ length: FILES }, (_, i) => `d${i % 5}/old-${i}`);
const NEW = Array.from({ length: FILES }, (_, i) => `n${i % 5}/new-${i}`);
const EXTRA = [...Array.from({ length: FILES }, (_, i) => `d${i % 5}/extra-${i}`), 'whole/1', 'whole/in/2', 'type/3'];

async function make(name: string): Promise<Mirror> {
  const mirror = await Mirror.make(bed, name, ['d0/same'], EXTRA);
  const { a, b } = mirror.pair;
  for (const path of REPLACED) {
    await Promise.all([a.put(`${mirror.source}/${path}`, `new ${path}`), b.put(`${mirror.mirror}/${path}`, path)]);
  }
  await Promise.all(NEW.map((path) => a.put(`${mirror.source}/${path}`, path)));
  await a.put(`${mirror.source}/type`, 'a file now');
  return mirror;
}

/** Kills what runs at the n-th request of a kind that changes something; its answer never comes, whether it was carried out or not. */
async function killing() {
  const state = { left: Infinity, kill: () => undefined as unknown };
  const proxy = await FaultProxy.start(bed.b, {
    react: ({ operation }) => {
      if (!['RENAME', 'DELETE', 'MKDIRS'].includes(operation) || --state.left !== 0) return undefined;
      state.kill();
      return Math.random() < 0.5 ? 'cut-before' : 'cut-after';
    },
  });
  return { url: proxy.url, state, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

/** Random moments, told in the title so that a failure can be run again. */
const moments = (most: number) => Array.from({ length: KILLS }, () => 1 + Math.floor(Math.random() * most)).join();

const flagsOf = ({ pair }: Mirror) => [
  ...['--force', '--delete', '--max-delete', '100%', '--copiers', '1'],
  ...['--backup-dir', `${pair.root}/kept`],
];

test.each([moments(250), moments(60)])(
  'kill -9 of an undo after %s changes: repeated, it puts all back',
  async (after) => {
    const mirror = await make(`undo-killed-${after.replaceAll(',', '-')}`);
    const { b, home } = mirror.pair;
    const before = await b.tree(mirror.mirror);
    const copy = await mirror.copy(flagsOf(mirror));
    expect(copy.code, copy.stderr).toBe(0);
    await mirror.expectEqual();
    await using killer = await killing();
    const { url, state } = killer;
    const conf = mirror.pair.conf({ B: { url } });
    for (const changes of after.split(',').map(Number)) {
      state.left = changes;
      const { child, ended } = startCli(['undo', copy.status.Job, '--yes'], { conf, home });
      state.kill = () => child.kill('SIGKILL');
      if ((await ended).code !== null) break;
    }
    state.left = Infinity;
    const { code, stdout, stderr } = await mirror.pair.run(['undo', copy.status.Job, '--yes']);
    expect(code, stdout + stderr).toBe(0);
    expect(await b.tree(mirror.mirror)).toEqual(before);
    expect(await b.exists(`${mirror.pair.root}/kept/${copy.status.Job}`)).toBe(false);
  },
);

test.each(moments(400).split(',').map(Number))(
  'kill -9 of a job after %i changes: undo leaves what stood there before',
  async (after) => {
    const mirror = await make(`undo-half-${after}-${Math.random().toString(36).slice(2, 6)}`);
    const { b, home } = mirror.pair;
    const before = await b.tree(mirror.mirror);
    await using killer = await killing();
    const { url, state } = killer;
    const conf = mirror.pair.conf({ B: { url } });
    state.left = after;
    const args = ['copy', '--silent', '--exact', ...flagsOf(mirror), `A:${mirror.source}`, `B:${mirror.mirror}`];
    const { child, ended } = startCli(args, { conf, home });
    state.kill = () => child.kill('SIGKILL');
    await ended;
    const { Job: job } = JSON.parse((await mirror.pair.run(['jobs', '--json'])).stdout) as { Job: string };
    const { code, stdout, stderr } = await mirror.pair.run(['undo', job, '--yes']);
    expect(code, stdout + stderr).toBe(0);
    const now = await b.tree(mirror.mirror);
    expect(now).toEqual(before);
    expect(temporaryNames(now)).toEqual([]);
    const resumed = await mirror.pair.run(['copy', '--resume', job]);
    expect(resumed.code).toBe(2);
    expect(resumed.stderr).toContain('was undone');
  },
);
