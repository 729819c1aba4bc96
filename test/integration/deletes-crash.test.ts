import { expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';

const bed = inject('bed');
const KILLS = 10;
const FILES = 400;
const IN_DIRECTORIES = 5;
const DIRECTORIES = 60;
/** Deletions after which a run is killed, at most. */
const MOST_DELETIONS = 35;

const extra = [
  ...Array.from({ length: FILES }, (_, i) => `both/d${i % 7}/extra-${i}`),
  ...Array.from({ length: DIRECTORIES * IN_DIRECTORIES }, (_, i) => `whole/x${i % DIRECTORIES}/y/${i}`),
];

/** Random numbers of deletions, told in the title so that a failure can be run again. */
const moments = () => Array.from({ length: KILLS }, () => 1 + Math.floor(Math.random() * MOST_DELETIONS)).join();

test.each([
  ['', moments()],
  ['--skip-trash', moments()],
])(
  'kill -9 ten times while deleting: each file is gone, counted once, and where it belongs (%s, after %s deletions)',
  async (flag, after) => {
    const kept = [...Array.from({ length: 7 }, (_, i) => `both/d${i}/kept`), 'whole/kept'];
    const mirror = await Mirror.make(bed, `crash${flag}`, kept, extra);
    const { source, mirror: to } = mirror;
    let [left, kill] = [Infinity, () => undefined as unknown];
    await using proxy = await FaultProxy.start(bed.b, {
      react: ({ operation }) => {
        if ((operation === 'RENAME' || operation === 'DELETE') && --left === 0) kill();
        return undefined;
      },
    });
    const options = { conf: mirror.pair.conf({ B: { url: proxy.url } }), home: mirror.pair.home };
    const deleting = ['--delete', '--max-delete', String(extra.length), ...(flag === '' ? [] : [flag])];
    let args = ['copy', '--silent', '--exact', ...deleting, `A:${source}`, `B:${to}`];
    for (const deletions of after.split(',').map(Number)) {
      left = deletions;
      const { child, ended } = startCli(args, options);
      kill = () => child.kill('SIGKILL');
      expect((await ended).code).toBe(null);
      const { Job: job } = JSON.parse((await mirror.pair.run(['jobs', '--json'])).stdout) as { Job: string };
      args = ['copy', '--silent', '--resume', job];
    }
    const { code, stderr, status } = await startCli(args, options).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Files Deleted': extra.length,
      'Size Deleted': extra.join('').length,
    });
    expect(status['Deletes Kept']).toBeUndefined();
    await mirror.expectEqual();
    const trashed = (await mirror.trashed()).filter((path) => !path.endsWith('/'));
    expect(trashed).toEqual(flag === '' ? [...extra].sort() : []);
  },
);
