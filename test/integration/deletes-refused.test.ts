import { describe, expect, inject, test } from 'vitest';
import { inTrash, Mirror } from '../support/mirror.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { expectOneLine } from '../support/two-clusters.ts';

/** What keeps a job with --delete from deleting anything at all. */

const bed = inject('bed');
const make = (name: string) => Mirror.make(bed, `refused-${name}`, ['a', 'both/b'], ['both/new', 'extra/1']);

/** Ends with this code and these words before a byte is moved, and the mirror is as it was. */
async function expectRefused(
  mirror: Mirror,
  args: readonly string[],
  code: number,
  says: readonly string[],
  conf?: string,
) {
  const before = await mirror.pair.trees();
  const result = await mirror.pair.run(['copy', '--silent', ...args], conf === undefined ? {} : { conf });
  expectOneLine(result, says);
  expect(result.code).toBe(code);
  expect(await mirror.pair.trees()).toEqual(before);
}

describe.concurrent('is refused before a byte is moved:', () => {
  test('without --exact, for a flattened tree, and flags that say nothing without it', async () => {
    const mirror = await make('flags');
    const paths = [`A:${mirror.source}`, `B:${mirror.mirror}`];
    await expectRefused(mirror, ['--delete', ...paths], 2, ['options.delete', '--exact']);
    await expectRefused(mirror, ['--track-missing', '/tmp/x', ...paths], 2, ['options.trackMissing', '--exact']);
    await expectRefused(mirror, ['--delete', '--exact', '--files-only', ...paths], 2, ['filesOnly']);
    await expectRefused(mirror, ['--skip-trash', ...paths], 2, ['options.skipTrash', 'it needs delete']);
    await expectRefused(mirror, ['--max-delete', '5', ...paths], 2, ['options.maxDelete', 'it needs delete']);
    await expectRefused(mirror, ['--delete', '--exact', '--max-delete', '5x', ...paths], 2, ['options.maxDelete']);
    await expectRefused(mirror, ['--delete', '--exact', '--track-missing', '/tmp/x', ...paths], 2, [
      'leave out delete',
    ]);
  });

  test('a source that is missing, or empty', async () => {
    const mirror = await make('empty');
    const paths = (source: string) => ['--exact', '--delete', `A:${source}`, `B:${mirror.mirror}`];
    await expectRefused(mirror, paths(`${mirror.pair.root}/nowhere`), 3, ['no source matches']);
    await mirror.pair.a.mkdirs(`${mirror.pair.root}/hollow`);
    await expectRefused(mirror, paths(`${mirror.pair.root}/hollow`), 3, ['is empty', 'check the source']);
  });

  test('a source with wildcards, although it matches one directory', async () => {
    const mirror = await make('wildcard');
    const paths = [`A:${mirror.source.slice(0, -1)}*`, `B:${mirror.mirror}`];
    for (const flags of [['--delete'], ['--track-missing', '/tmp/x']])
      await expectRefused(mirror, ['--exact', ...flags, ...paths], 2, ['named in full', 'without wildcards']);
  });

  test('a source that is a file', async () => {
    const mirror = await make('file');
    const { source, mirror: to } = mirror;
    const args = ['--exact', '--delete', `A:${source}/a`, `B:${to}/a`];
    await expectRefused(mirror, args, 3, ['is a file: it has nothing to delete']);
  });

  test.each(['A', 'ALIAS'])('a destination that holds its own source, by way of %s', async (alias) => {
    const mirror = await make(`overlap-${alias}`);
    const conf = mirror.pair.conf({ ALIAS: { url: bed.a.replace('localhost', '127.0.0.1') } });
    const args = ['--exact', '--delete', `A:${mirror.source}`, `${alias}:${mirror.pair.root}`];
    await expectRefused(mirror, args, 3, ['holds its own source', 'would delete it'], conf);
  });

  test('a cluster without trash', async () => {
    const mirror = await make('off');
    const args = ['--exact', '--delete', `B:${mirror.mirror}`, `A:${mirror.source}`];
    await expectRefused(mirror, args, 3, ['the trash is off (fs.trash.interval is 0)', '--skip-trash']);
  });

  test('a destination in the trash itself', async () => {
    const mirror = await make('in-trash');
    const to = inTrash(mirror.mirror);
    await mirror.pair.b.put(`${to}/old`, 'old');
    const args = ['--exact', '--delete', `A:${mirror.source}`, `B:${to}`];
    await expectRefused(mirror, args, 3, ['it lies in the trash itself', '--skip-trash']);
  });

  test('a user without right to the trash', async () => {
    const mirror = await make('homeless');
    const { a, b } = mirror.pair;
    for (const hdfs of [a, b]) await hdfs.call('PUT', 'SETPERMISSION', mirror.pair.root, { permission: '777' });
    await b.mkdirs('/user');
    const conf = mirror.pair.conf({ B: { user: 'homeless' } });
    const args = ['--exact', '--delete', `A:${mirror.source}`, `B:${mirror.mirror}`];
    await expectRefused(mirror, args, 3, ['the trash cannot be written', '--skip-trash'], conf);
  });
});

describe.concurrent('deletes nothing', () => {
  test('when a copy fails, until a resume has copied it', async () => {
    const mirror = await make('failed');
    const { a, b } = mirror.pair;
    await a.put(`${mirror.source}/a`, 'another content');
    const { code, status } = await mirror.copy(['--delete']);
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Files Deleted': 0, 'Not Deleted': '1 files failed' });
    expect(await mirror.names()).toEqual(['a', 'both/', 'both/b', 'both/new', 'extra/', 'extra/1']);
    const resumed = await mirror.resume(status.Job, ['--force']);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ 'Files Copied': 1, 'Files Deleted': 2 });
    expect(resumed.status['Not Deleted']).toBeUndefined();
    expect(String(await b.get(`${mirror.mirror}/a`))).toBe('another content');
    await mirror.expectEqual();
  });

  test('when a directory of the source may not be listed', async () => {
    const mirror = await make('unreadable');
    const { a, b } = mirror.pair;
    await a.call('PUT', 'SETPERMISSION', `${mirror.source}/both`, { permission: '700' });
    const before = await mirror.names();
    const conf = mirror.pair.conf({ A: { user: 'nobody' } });
    const { code, status } = await mirror.copy(['--delete'], { conf });
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Files Deleted': 0 });
    expect(await b.exists(`${mirror.mirror}/both/new`)).toBe(true);
    expect(await mirror.names()).toEqual(before);
  });

  test('when the source has become empty, or has vanished, by the time of it', async () => {
    for (const [name, says] of [
      ['emptied', 'the source has become empty'],
      ['vanished', 'is not there any more'],
    ] as const) {
      const mirror = await make(name);
      let isOver = false;
      // The list of what is to be deleted is made when the root is asked for the third time.
      await using proxy = await FaultProxy.start(bed.a, {
        react: async ({ operation, path }) => {
          const before = name === 'vanished' ? 'GETFILESTATUS' : 'LISTSTATUS_BATCH';
          const seen = proxy.requests.filter((one) => one.operation === before && one.path === mirror.source).length;
          // Once the root was looked at, and listed, by the mapping or what refuses, and by the plan.
          if (isOver || operation !== before || path !== mirror.source || seen < 3) return undefined;
          isOver = true;
          await mirror.pair.a.remove(mirror.source);
          if (name === 'emptied') await mirror.pair.a.mkdirs(mirror.source);
          return undefined;
        },
      });
      const before = await mirror.names();
      const conf = mirror.pair.conf({ A: { url: proxy.url } });
      const { code, stderr } = await mirror.copy(['--delete'], { conf });
      const told = proxy.requests.map(({ operation, path }) => `${operation} ${path}`).join('\n');
      expect({ code, isOver }, told).toEqual({ code: 3, isOver: true });
      expect(stderr).toContain(says);
      expect(await mirror.names()).toEqual(before);
    }
  });
});
