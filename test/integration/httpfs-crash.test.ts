import { expect, inject, test, vi } from 'vitest';
import { type CliOptions, newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

const bed = inject('bed');
const FILES = 12;

const destinationOf = ({ query }: FaultProxyRequest) => new URLSearchParams(query).get('destination') ?? '';
const isOld = (path: string) => path.endsWith('.old');

/** The steps in which an existing file is replaced on an HttpFS, and the one that takes a replacement back. */
const steps: Record<string, (request: FaultProxyRequest) => boolean> = {
  'moving the old file aside': (r) => r.operation === 'RENAME' && isOld(destinationOf(r)),
  'renaming the new file into place': (r) =>
    r.operation === 'RENAME' && !isOld(r.path) && !isOld(destinationOf(r)) && r.path.includes('/_hdfs-fanout.'),
  'deleting the old file': (r) => r.operation === 'DELETE' && isOld(r.path),
  'putting the old file back': (r) => r.operation === 'RENAME' && isOld(r.path),
};

test.each([
  ['before moving the old file aside', 'never'],
  ['after moving the old file aside', 'never'],
  ['before renaming the new file into place', 'never'],
  ['after renaming the new file into place', 'never'],
  ['before deleting the old file', 'never'],
  ['after deleting the old file', 'never'],
  ['after moving the old file aside', 'before putting the old file back'],
  ['after moving the old file aside', 'after putting the old file back'],
])(
  'a copy over an HttpFS killed by kill -9 %s, and its resume killed %s, loses no file and ends with equal trees',
  async (first, second) => {
    const pair = await TwoClusters.make(bed, `httpfs-crash-${first} ${second}`.replaceAll(' ', '-'));
    const { root, a, b } = pair;
    for (let i = 0; i < FILES; i++) {
      await b.put(`${root}/tree/f${i}`, content(`new ${i}`, 30_000));
      await a.put(`${root}/tree/f${i}`, content(`old ${i}`, 20_000));
    }
    const [before, source] = [await a.tree(`${root}/tree`), await b.tree(`${root}/tree`)];
    let reached: (request: FaultProxyRequest) => Promise<boolean> = () => Promise.resolve(false);
    await using faultProxy = await FaultProxy.start(bed.httpFs, {
      react: async (request) => ((await reached(request)) ? 'cut-before' : undefined),
    });
    const options: CliOptions = { conf: pair.conf({ A: { url: faultProxy.url } }), home: newHome() };

    /** Runs a command that is killed before or after its first such step took place. */
    const killedAt = async (args: readonly string[], moment: string) => {
      const [, when = '', step = ''] = /^(\w+) (.*)$/.exec(moment) ?? [];
      let over = false;
      const { child, ended } = startCli(args, options);
      reached = async (request) => {
        if (over || !steps[step]?.(request)) return over;
        over = true;
        const { operation, path } = request;
        if (when === 'after' && operation === 'RENAME') {
          await a.call('PUT', 'RENAME', path, { destination: destinationOf(request) });
        }
        if (when === 'after' && operation === 'DELETE') await a.call('DELETE', 'DELETE', path);
        child.kill('SIGKILL');
        return true;
      };
      await ended;
      reached = () => Promise.resolve(false);
      expect(over, `${step} was reached`).toBe(true);
    };
    /** Each file stands under its name, old or new and whole, or waits beside it. */
    const expectNothingLost = async () => {
      const tree = await a.tree(`${root}/tree`);
      for (const name of Object.keys(source)) {
        if (tree[name] !== undefined) expect([before[name], source[name]]).toContain(tree[name]);
        else
          expect(
            Object.entries(tree)
              .filter(([path]) => isOld(path))
              .map(([, file]) => file),
          ).toContain(before[name]);
      }
    };

    await killedAt(['copy', '--silent', '--force', '--exact', `B:${root}/tree`, `A:${root}/tree`], first);
    // What was on its way when the process was killed may still be done.
    await vi.waitFor(expectNothingLost, { timeout: 60_000, interval: 100 });
    const { stdout } = await runCli(['jobs', '--json'], options);
    const resume = ['copy', '--silent', '--resume', (JSON.parse(stdout) as { Job: string }).Job];
    if (second !== 'never') {
      await killedAt(resume, second);
      await vi.waitFor(expectNothingLost, { timeout: 60_000, interval: 100 });
    }
    const { code, stderr, status } = await runCli(resume, options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': FILES, 'Files Skipped': 0, 'Files Failed': 0 });
    const tree = await a.tree(`${root}/tree`);
    expect(temporaryNames(tree)).toEqual([]);
    expect(tree).toEqual(source);
  },
);
