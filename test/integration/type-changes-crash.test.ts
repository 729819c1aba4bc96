import { expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';

const bed = inject('bed');
const FILES = Array.from({ length: 6 }, (_, i) => `both/file-${i}`);
const IN_DIRECTORIES = Array.from({ length: 12 }, (_, i) => `directory-${i % 3}/deep/${i}`);
const NEW = [...FILES, ...IN_DIRECTORIES];
const OLD = [
  ...FILES.flatMap((file) => [`${file}/1`, `${file}/deep/2`]),
  ...[0, 1, 2].map((number) => `directory-${number}`),
];
const KEPT = ['a', 'both/b'];

/** A request to the mirror's cluster at which a run is killed: before it is sent on, or after it. */
interface Moment {
  readonly is: (request: FaultProxyRequest, mirror: string) => boolean;
  readonly nth: number;
  readonly when: 'before' | 'after';
}

const isPromoted = ({ operation, path }: FaultProxyRequest) =>
  operation === 'RENAME' && path.includes('/_hdfs-fanout.');
const isTrashed = (request: FaultProxyRequest) => request.operation === 'RENAME' && !isPromoted(request);
const isMadeAnew = ({ operation, path }: FaultProxyRequest, mirror: string) =>
  operation === 'MKDIRS' && path === `${mirror}/directory-1`;
const isOver = ({ operation, path }: FaultProxyRequest, mirror: string) =>
  operation === 'SETTIMES' && path === `${mirror}/directory-1`;

const moments: Readonly<Record<string, Moment>> = {
  'before the first deletion': { is: isTrashed, nth: 1, when: 'before' },
  'after the first deletion': { is: isTrashed, nth: 1, when: 'after' },
  'after the last deletion': { is: isTrashed, nth: 9, when: 'after' },
  'between the passes': { is: isMadeAnew, nth: 1, when: 'before' },
  'while the second pass is planned': { is: isMadeAnew, nth: 1, when: 'after' },
  'before the first file of the second pass': { is: isPromoted, nth: 1, when: 'before' },
  'in the middle of the second pass': { is: isPromoted, nth: 7, when: 'after' },
  'after the last file of the second pass': { is: isPromoted, nth: NEW.length, when: 'after' },
  'in the end of the second pass': { is: isOver, nth: 1, when: 'before' },
};

async function killedAt(name: string, at: readonly Moment[]): Promise<void> {
  const mirror = await Mirror.make(bed, `types-crash-${name.replaceAll(' ', '-')}`, KEPT, OLD);
  const { a } = mirror.pair;
  await Promise.all(NEW.map((path) => a.put(`${mirror.source}/${path}`, path)));
  await a.mkdirs(`${mirror.source}/directory-0/hollow`);
  let [moment, seen, kill] = [undefined as Moment | undefined, 0, () => undefined as unknown];
  await using proxy = await FaultProxy.start(bed.b, {
    react: (request) => {
      if (!moment?.is(request, mirror.mirror) || ++seen !== moment.nth) return undefined;
      kill();
      return moment.when === 'before' ? 'cut-before' : undefined;
    },
  });
  const options = { conf: mirror.pair.conf({ B: { url: proxy.url } }), home: mirror.pair.home };
  const flags = ['--delete', '--preserve', '--max-delete', '100', '--threads', '2'];
  let args = ['copy', '--silent', '--exact', ...flags, `A:${mirror.source}`, `B:${mirror.mirror}`];
  for (const next of at) {
    [moment, seen] = [next, 0];
    const { child, ended } = startCli(args, options);
    kill = () => child.kill('SIGKILL');
    expect((await ended).code).toBe(null);
    const { Job: job } = JSON.parse((await mirror.pair.run(['jobs', '--json'])).stdout) as { Job: string };
    args = ['copy', '--silent', '--resume', job];
  }
  moment = undefined;
  const { code, stderr, status } = await startCli(args, options).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({
    Outcome: 'Successful',
    'Files Expected': KEPT.length + NEW.length,
    'Files Copied': NEW.length,
    'Files Skipped': KEPT.length,
    'Files Deleted': OLD.length,
    'Size Deleted': OLD.join('').length,
  });
  expect(status['Deletes Kept']).toBeUndefined();
  await mirror.expectEqual();
  const trashed = (await mirror.trashed()).filter((path) => !path.endsWith('/'));
  expect(trashed).toEqual([...OLD].sort());
}

test.concurrent.each(Object.entries(moments))('kill -9 %s: each file is replaced, and counted once', (name, moment) =>
  killedAt(name, [moment]),
);

test('kill -9 at one moment after the other', () => {
  const inTurn = [
    'after the first deletion',
    'between the passes',
    'while the second pass is planned',
    'before the first file of the second pass',
    'in the end of the second pass',
  ];
  return killedAt(
    'all',
    inTurn.flatMap((name) => moments[name] ?? []),
  );
});
