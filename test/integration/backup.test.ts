import { describe, expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

/** What --backup-dir keeps of what a job replaces and deletes; what undo makes of it is in undo. */

const bed = inject('bed');
const MIB = 1024 * 1024;

const SAME = ['same', 'deep/same'];
const REPLACED = ['old', 'deep/er/old', 'naïve ✓ 日本/%41 +;=', ' blank '];
const EXTRA = ['extra', 'gone/1', 'gone/deep/2'];

/** A mirror of which some files are old, some are extra, and two are of another kind than at the source. */
async function make(name: string): Promise<Mirror> {
  const mirror = await Mirror.make(bed, `backup-${name}`, SAME, [...EXTRA, 'file/in/1', 'directory']);
  const { a, b } = mirror.pair;
  await Promise.all([
    ...REPLACED.flatMap((path) => [
      a.put(`${mirror.source}/${path}`, `new ${path}`),
      b.put(`${mirror.mirror}/${path}`, `old ${path}`, { permission: '640' }),
    ]),
    a.put(`${mirror.source}/new/file`, 'new'),
    a.put(`${mirror.source}/file`, 'a file now'),
    a.put(`${mirror.source}/directory/1`, 'a directory now'),
  ]);
  return mirror;
}

describe('--backup-dir', () => {
  test('keeps what is replaced, deleted, or of another kind, as it was and where it was', async () => {
    const mirror = await make('all');
    const { pair } = mirror;
    const backups = `${pair.root}/kept/here`;
    const before = await pair.b.tree(mirror.mirror);
    const { fileId, modificationTime } = await pair.b.status(`${mirror.mirror}/deep/er/old`);
    const args = ['--force', '--delete', '--backup-dir', backups, '--max-delete', '100%'];
    const { code, stderr, status } = await mirror.copy(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': REPLACED.length + 3, 'Files Deleted': EXTRA.length + 2 });
    await mirror.expectEqual();
    const kept = await pair.b.tree(`${backups}/${status.Job}`);
    const gone = (path: string) => !SAME.some((same) => path === `/${same}`) && !path.endsWith('/');
    const files = (tree: Record<string, string>) => Object.entries(tree).filter(([path]) => gone(path));
    expect(files(kept)).toEqual(files(before));
    // Renamed, and not copied.
    const old = await pair.b.status(`${backups}/${status.Job}/deep/er/old`);
    expect(old).toMatchObject({ fileId, modificationTime, permission: '640' });
    for (const directory of [backups, `${backups}/${status.Job}`, `${backups}/${status.Job}/deep`])
      expect(await pair.b.status(directory)).toMatchObject({ permission: '700', owner: 'root' });
    expect(await mirror.trashed()).toEqual([]);

    const again = await mirror.copy(args);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 0, 'Files Deleted': 0 });
    expect(await pair.b.exists(`${backups}/${again.status.Job}`)).toBe(false);
  });

  test.each([
    { how: 'at once', flags: [] },
    { how: 'in chunks', flags: ['--split-above', String(4 * MIB), '--chunk-size', String(4 * MIB)] },
    { how: 'in parts', flags: ['--split-above', '0', '--chunk-size', String(4 * MIB)] },
  ])('keeps a long file that is copied $how over another one, into an existing directory', async ({ how, flags }) => {
    const pair = await TwoClusters.make(bed, `backup-long-${how.replace(' ', '-')}`);
    const { root, a, b } = pair;
    await a.put(`${root}/in/long`, content(how, 9 * MIB + 5));
    await b.put(`${root}/out/in/long`, 'old');
    const copy = ['copy', '--silent', '--force', ...flags, '--backup-dir', `${root}/kept`, `A:${root}/in`];
    const { code, stderr, status } = await pair.run([...copy, `B:${root}/out`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await b.tree(`${root}/out/in`)).toEqual(await a.tree(`${root}/in`));
    expect((await b.get(`${root}/kept/${status.Job}/long`)).toString()).toBe('old');
    expect(temporaryNames(await b.tree(root))).toEqual([]);
  });

  test('keeps what several sources replace under the name of each, and a single file under its own', async () => {
    const pair = await TwoClusters.make(bed, 'backup-several');
    const { root, a, b } = pair;
    for (const name of ['one', 'two']) {
      await a.put(`${root}/in/${name}/f`, `new ${name}`);
      await b.put(`${root}/out/${name}/f`, `old ${name}`);
    }
    await a.put(`${root}/in/file`, 'new file');
    await b.put(`${root}/out/file`, 'old file');
    const copy = ['copy', '--silent', '--force', '--backup-dir', `${root}/kept`];
    const many = await pair.run([...copy, `A:${root}/in/one`, `A:${root}/in/two`, `B:${root}/out`]);
    expect(many.code, many.stderr).toBe(0);
    expect(Object.keys(await b.tree(`${root}/kept/${many.status.Job}`))).toEqual([
      '/one/',
      '/one/f',
      '/two/',
      '/two/f',
    ]);
    const one = await pair.run([...copy, `A:${root}/in/file`, `B:${root}/out/file`]);
    expect(one.code, one.stderr).toBe(0);
    expect((await b.get(`${root}/kept/${one.status.Job}/file`)).toString()).toBe('old file');
  });

  test('works over HttpFS, whose rename would move a file into a directory', async () => {
    const pair = await TwoClusters.make(bed, 'backup-httpfs');
    const { root, a, b } = pair;
    const conf = pair.conf({ A: { url: bed.httpFs } });
    await b.put(`${root}/in/f`, 'new');
    await b.put(`${root}/in/d/f `, 'new');
    await a.put(`${root}/out/f`, 'old');
    await a.put(`${root}/out/d/f `, 'older');
    await a.put(`${root}/out/extra/1`, 'extra');
    const args = ['copy', '--silent', '--force', '--exact', '--delete', '--backup-dir', `${root}/kept`];
    const { code, stderr, status } = await pair.run([...args, `B:${root}/in`, `A:${root}/out`], { conf });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await a.tree(`${root}/out`)).toEqual(await b.tree(`${root}/in`));
    expect(Object.keys(await a.tree(`${root}/kept/${status.Job}`))).toEqual([
      '/d/',
      '/d/f ',
      '/extra/',
      '/extra/1',
      '/f',
    ]);
  });

  test('leaves a file as it is that cannot be kept, and says so', async () => {
    const pair = await TwoClusters.make(bed, 'backup-refused');
    const { root, a, b } = pair;
    await a.put(`${root}/in/f`, 'new');
    await b.put(`${root}/out/f`, 'old');
    await using proxy = await FaultProxy.start(bed.b, {
      react: ({ operation, query }) => {
        if (operation !== 'RENAME' || !decodeURIComponent(query).includes('/kept/')) return undefined;
        const exception = { exception: 'AccessControlException', message: 'Permission denied', javaClassName: '' };
        return { answer: { status: 403, body: JSON.stringify({ RemoteException: exception }) } };
      },
    });
    const conf = pair.conf({ B: { url: proxy.url } });
    const args = ['copy', '--force', '--exact', '--backup-dir', `${root}/kept`, `A:${root}/in`, `B:${root}/out`];
    const { code, status } = await pair.run(args, { conf });
    expect(code).toBe(1);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Files Copied': 0 });
    expect((await b.get(`${root}/out/f`)).toString()).toBe('old');
    expect(temporaryNames(await b.tree(root))).toEqual([]);
  });

  test.each(['cut-before', 'cut-after'] as const)(
    'settles a rename into it whose answer was lost (%s)',
    async (cut) => {
      const pair = await TwoClusters.make(bed, `backup-lost-${cut}`);
      const { root, a, b } = pair;
      await a.put(`${root}/in/f`, 'new');
      await b.put(`${root}/out/f`, 'old');
      let cuts = 0;
      await using proxy = await FaultProxy.start(bed.b, {
        react: ({ operation, query }) =>
          operation === 'RENAME' && decodeURIComponent(query).includes('/kept/') && cuts++ === 0 ? cut : undefined,
      });
      const conf = pair.conf({ B: { url: proxy.url } });
      const args = ['copy', '--force', '--exact', '--backup-dir', `${root}/kept`, `A:${root}/in`, `B:${root}/out`];
      const { code, status } = await pair.run(args, { conf });
      expect(code).toBe(0);
      expect((await b.get(`${root}/out/f`)).toString()).toBe('new');
      expect(Object.keys(await b.tree(`${root}/kept/${status.Job}`))).toEqual(['/f']);
    },
  );
});

describe('a job with --backup-dir that is killed between its two renames', () => {
  test.each([
    { how: 'at once', flags: [] },
    { how: 'in chunks', flags: ['--split-above', String(4 * MIB), '--chunk-size', String(4 * MIB)] },
    { how: 'in parts', flags: ['--split-above', '0', '--chunk-size', String(4 * MIB)] },
  ])('has the new file and the old one once it was resumed ($how)', async ({ how, flags }) => {
    const pair = await TwoClusters.make(bed, `backup-killed-${how.replace(' ', '-')}`);
    const { root, a, b, home } = pair;
    await a.put(`${root}/in/long`, content(how, 9 * MIB + 5));
    await b.put(`${root}/out/long`, 'old');
    let kill: (() => unknown) | undefined;
    await using proxy = await FaultProxy.start(bed.b, {
      // The rename that gives the new file its name never comes.
      react: ({ operation, query }) => {
        const isPromotion = new URLSearchParams(query).get('destination') === `${root}/out/long`;
        if (operation !== 'RENAME' || !kill || !isPromotion) return undefined;
        kill();
        return 'hang';
      },
    });
    const conf = pair.conf({ B: { url: proxy.url } });
    const args = ['copy', '--silent', '--force', '--exact', ...flags, '--copiers', '1', '--backup-dir', `${root}/kept`];
    const { child, ended } = startCli([...args, `A:${root}/in`, `B:${root}/out`], { conf, home });
    kill = () => child.kill('SIGKILL');
    expect((await ended).code).toBe(null);
    kill = undefined;
    expect(await b.exists(`${root}/out/long`)).toBe(false);
    const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'])).stdout) as { Job: string };
    expect((await b.get(`${root}/kept/${job}/long`)).toString()).toBe('old');

    const { code, status } = await pair.run(['copy', '--silent', '--resume', job], { conf });
    expect(code).toBe(0);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1 });
    expect(await b.tree(`${root}/out`)).toEqual(await a.tree(`${root}/in`));
    expect((await b.get(`${root}/kept/${job}/long`)).toString()).toBe('old');
    expect(Object.keys(await b.tree(`${root}/kept/${job}`))).toEqual(['/long']);
    expect(temporaryNames(await b.tree(root))).toEqual([]);
  });

  test('has the old file back under its name once it was cleaned', async () => {
    const pair = await TwoClusters.make(bed, 'backup-cleaned');
    const { root, a, b, home } = pair;
    await a.put(`${root}/in/f`, 'new');
    await b.put(`${root}/out/f`, 'old');
    let kill: () => unknown = () => undefined;
    let renames = 0;
    await using proxy = await FaultProxy.start(bed.b, {
      react: ({ operation }) => {
        if (operation !== 'RENAME' || ++renames < 2) return undefined;
        kill();
        return 'hang';
      },
    });
    const conf = pair.conf({ B: { url: proxy.url } });
    const args = ['copy', '--silent', '--force', '--exact', '--copiers', '1', '--backup-dir', `${root}/kept`];
    const { child, ended } = startCli([...args, `A:${root}/in`, `B:${root}/out`], { conf, home });
    kill = () => child.kill('SIGKILL');
    expect((await ended).code).toBe(null);
    expect(await b.exists(`${root}/out/f`)).toBe(false);
    const { Job: job } = JSON.parse((await pair.run(['jobs', '--json'])).stdout) as { Job: string };
    const { code, stderr } = await pair.run(['clean', job]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await b.get(`${root}/out/f`)).toString()).toBe('old');
    expect(temporaryNames(await b.tree(root))).toEqual([]);
  });
});

describe('--backup-dir is refused, and nothing is changed', () => {
  test.each([
    ['in the destination', ['--force'], 'out/kept', 3, 'overlap'],
    ['the destination itself', ['--force'], 'out', 3, 'overlap'],
    ['above the destination', ['--force'], '', 3, 'overlap'],
    ['below a file', ['--force'], 'file/kept', 3, 'is no directory'],
    ['in place with --direct', ['--force', '--direct'], 'kept', 2, 'cannot go with direct'],
    ['with --skip-trash', ['--exact', '--delete', '--skip-trash'], 'kept', 2, 'skipTrash deletes it for good'],
  ])('%s', async (name, flags, directory, code, says) => {
    const pair = await TwoClusters.make(bed, `backup-bad-${name.replaceAll(' ', '-')}`);
    const { root, a, b } = pair;
    await a.put(`${root}/in/f`, 'new');
    await b.put(`${root}/out/f`, 'old');
    await b.put(`${root}/file`, 'old');
    const args = ['copy', '--exact', ...flags, '--backup-dir', `${root}/${directory}`];
    await pair.expectRefused([...args, `A:${root}/in`, `B:${root}/out`], { code, says: [says] });
  });

  test('where it lies in the source of the same cluster, under another alias', async () => {
    const pair = await TwoClusters.make(bed, 'backup-bad-source');
    const { root, b } = pair;
    await b.put(`${root}/in/f`, 'new');
    await b.put(`${root}/out/f`, 'old');
    const conf = pair.conf({ C: { url: bed.b } });
    const args = ['copy', '--exact', '--force', '--backup-dir', `${root}/in/kept`, `C:${root}/in`, `B:${root}/out`];
    await pair.expectRefused(args, { code: 3, says: ['overlap', 'name another directory with --backup-dir'], conf });
  });

  test('where it is no absolute path, or the destination is a local disk', async () => {
    const pair = await TwoClusters.make(bed, 'backup-bad-path');
    const { root, b } = pair;
    await b.put(`${root}/in/f`, 'new');
    const to = ['--exact', '--force', '--backup-dir', 'B:/kept', `B:${root}/in`, `B:${root}/out`];
    await pair.expectRefused(['copy', ...to], { code: 2, says: ['options.backupDir', 'absolute path'] });
    const local = ['--exact', '--force', '--backup-dir', '/tmp/kept', `B:${root}/in`, `local:/tmp/${root.slice(1)}`];
    await pair.expectRefused(['copy', ...local], { code: 3, says: ['keeps no backups'] });
  });
});
