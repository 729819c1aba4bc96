import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, inject, test } from 'vitest';
import { newHome } from '../support/cli.ts';
import { inTrash, Mirror } from '../support/mirror.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

/** What `undo` makes of a job that was finished; of one that was killed, and of its own death, see undo-crash. */

const bed = inject('bed');
const MIB = 1024 * 1024;

const SAME = ['same', 'deep/same'];
const REPLACED = ['old', 'deep/er/old', 'naïve ✓ 日本/%41 +;=', ' blank '];
const EXTRA = ['extra', 'gone/1', 'gone/deep/2'];
const NEW = ['new/file', 'new/er/file', 'file', 'directory/1'];

/** A mirror of which some files are old, some are extra, and two are of another kind than at the source. */
async function make(name: string): Promise<Mirror> {
  const mirror = await Mirror.make(bed, `undo-${name}`, SAME, [...EXTRA, 'file/in/1', 'directory']);
  const { a, b } = mirror.pair;
  await Promise.all([
    ...REPLACED.flatMap((path) => [
      a.put(`${mirror.source}/${path}`, `new ${path}`),
      b.put(`${mirror.mirror}/${path}`, `old ${path}`, { permission: '640' }),
    ]),
    ...NEW.map((path) => a.put(`${mirror.source}/${path}`, `new ${path}`)),
    a.mkdirs(`${mirror.source}/hollow/inner`),
  ]);
  return mirror;
}

/** Every entry with what a rename keeps of it. */
async function seen({ pair: { b }, mirror }: Mirror): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of Object.keys(await b.tree(mirror))) {
    const { type, fileId, length, modificationTime, permission, owner } = await b.status(
      mirror + path.replace(/\/$/, ''),
    );
    found[path] = [type, fileId, length, type === 'FILE' ? modificationTime : '', permission, owner].join();
  }
  return found;
}

describe.concurrent('undo of a job with --backup-dir', () => {
  test('brings back all that the job replaced or deleted, removes what it made, and is done the second time', async () => {
    const mirror = await make('all');
    const { pair } = mirror;
    const before = await seen(mirror);
    const copy = await mirror.copy([
      '--force',
      '--delete',
      '--backup-dir',
      `${pair.root}/kept`,
      '--max-delete',
      '100%',
    ]);
    expect(copy.code, copy.stderr).toBe(0);
    const { Job: job } = copy.status;
    const copied = await pair.b.tree(mirror.mirror);

    const asked = await pair.run(['undo', job]);
    expect(asked).toMatchObject({ code: 2, stdout: '' });
    expect(asked.stderr).toContain('look with --dry-run, then say --yes');
    const dry = await pair.run(['undo', job, '--dry-run']);
    expect({ code: dry.code, stderr: dry.stderr }).toEqual({ code: 0, stderr: '' });
    const would = 'remove 4 files, 48 B; put back 4 files, 56 B; restore 5 files, 43 B; remove 5 directories'.split(
      '; ',
    );
    for (const part of would.map((text) => text.split(',')[0] ?? '')) expect(dry.stdout).toContain(part);
    expect(dry.stdout).toContain(`put back  ${mirror.mirror}/deep/er/old  (from ${pair.root}/kept/${job}/deep/er/old)`);
    expect(dry.stdout).toContain(`remove    ${mirror.mirror}/hollow/inner  (once it is empty)`);
    expect(await pair.b.tree(mirror.mirror)).toEqual(copied);

    const { code, stderr, stdout } = await pair.run(['undo', job, '--yes']);
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').at(-2)?.replace('Did', 'Would')).toBe(dry.stdout.split('\n').at(-2));
    expect(await seen(mirror)).toEqual(before);
    expect(await pair.b.exists(`${pair.root}/kept/${job}`)).toBe(false);
    const trashed = await pair.b.tree(inTrash(mirror.mirror));
    for (const path of [...REPLACED, ...NEW]) expect(Object.keys(trashed)).toContain(`/${path}`);

    const again = await pair.run(['undo', job, '--yes']);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('was undone before');
    const status = JSON.parse((await pair.run(['jobs', '--json'])).stdout) as { Undone?: string };
    expect(status.Undone).toMatch(/^\d{4}-/);
  });

  test('leaves what somebody changed since, says so, and takes the rest', async () => {
    const mirror = await make('changed');
    const { pair } = mirror;
    const { a, b } = pair;
    const copy = await mirror.copy([
      '--force',
      '--delete',
      '--backup-dir',
      `${pair.root}/kept`,
      '--max-delete',
      '100%',
    ]);
    const { Job: job } = copy.status;
    // Other content of the same length and time, other length, another time, something in a directory that was made, a name that is taken.
    await b.put(`${mirror.mirror}/old`, 'NEW old');
    const { modificationTime } = await b.status(`${mirror.mirror}/deep/er/old`);
    await b.put(`${mirror.mirror}/deep/er/old`, 'NEW deep/er/old');
    await b.call('PUT', 'SETTIMES', `${mirror.mirror}/deep/er/old`, { modificationtime: String(modificationTime) });
    await b.append(`${mirror.mirror}/new/file`, ' and more');
    await b.put(`${mirror.mirror}/hollow/inner/theirs`, 'theirs');
    await b.put(`${mirror.mirror}/gone`, 'another thing');
    const { code, stdout } = await pair.run(['undo', job, '--yes', '--json']);
    expect(code).toBe(1);
    const steps = stdout.split('\n').filter((line) => line.startsWith('{"type":"undo",'));
    const left = steps
      .map((line) => JSON.parse(line) as { action: string; path: string })
      .filter(({ action }) => action === 'leave')
      .map(({ path }) => path.slice(mirror.mirror.length + 1));
    expect(left.sort()).toEqual(['deep/er/old', 'gone', 'hollow', 'hollow/inner', 'new', 'new/file', 'old']);
    expect((await b.get(`${mirror.mirror}/old`)).toString()).toBe('NEW old');
    expect((await b.get(`${mirror.mirror}/new/file`)).toString()).toBe('new new/file and more');
    expect((await b.get(`${mirror.mirror}/extra`)).toString()).toBe('extra');
    expect((await b.get(`${mirror.mirror}/ blank `)).toString()).toBe('old  blank ');
    expect((await b.get(`${pair.root}/kept/${job}/old`)).toString()).toBe('old old');
    expect(await a.exists(`${mirror.source}/old`)).toBe(true);

    // Repeatable: once the names are free, the rest comes back as well.
    await b.remove(`${mirror.mirror}/gone`);
    await b.remove(`${mirror.mirror}/old`);
    const again = await pair.run(['undo', job, '--yes']);
    expect(again.code).toBe(1);
    expect((await b.get(`${mirror.mirror}/old`)).toString()).toBe('old old');
    expect((await b.get(`${mirror.mirror}/gone/deep/2`)).toString()).toBe('gone/deep/2');
  });

  test.each([[[]], [['--preserve']]])('knows long files in chunks and in parts again, with %j', async (preserve) => {
    const pair = await TwoClusters.make(bed, `undo-long${preserve.length}`);
    const { root, a, b } = pair;
    for (const name of ['new', 'replaced']) await a.put(`${root}/in/${name}`, content(name, 9 * MIB + 5));
    await b.put(`${root}/out/replaced`, 'old');
    const before = await b.tree(`${root}/out`);
    for (const split of [String(4 * MIB), '0']) {
      const flags = ['--split-above', split, '--chunk-size', String(4 * MIB), ...preserve];
      const args = ['copy', '--silent', '--force', '--exact', ...flags, '--backup-dir', `${root}/kept`];
      const copy = await pair.run([...args, `A:${root}/in`, `B:${root}/out`]);
      expect(copy.code, copy.stderr).toBe(0);
      expect(await b.tree(`${root}/out`)).toEqual(await a.tree(`${root}/in`));
      const { code, stderr, stdout } = await pair.run(['undo', copy.status.Job, '--yes', '--skip-trash']);
      expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
      expect(await b.tree(`${root}/out`)).toEqual(before);
      expect(temporaryNames(await b.tree(root))).toEqual([]);
    }
  });

  test('undoes two jobs, the later one first', async () => {
    const mirror = await make('two');
    const { pair } = mirror;
    const flags = ['--force', '--delete', '--backup-dir', `${pair.root}/kept`, '--max-delete', '100%'];
    const states = [await seen(mirror)];
    const jobs: string[] = [];
    for (const round of ['one', 'two']) {
      await pair.a.put(`${mirror.source}/old`, `of round ${round}`);
      await pair.a.put(`${mirror.source}/in ${round}`, round);
      jobs.push((await mirror.copy(flags)).status.Job);
      states.push(await seen(mirror));
    }
    for (const job of jobs.toReversed()) {
      states.pop();
      const { code, stdout } = await pair.run(['undo', job, '--yes']);
      expect(code, stdout).toBe(0);
      expect(await seen(mirror)).toEqual(states.at(-1));
    }
  });

  test('works over HttpFS, and without a trash with --skip-trash', async () => {
    const pair = await TwoClusters.make(bed, 'undo-httpfs');
    const { root, a, b } = pair;
    const conf = pair.conf({ A: { url: bed.httpFs } });
    await b.put(`${root}/in/f`, 'new');
    await b.put(`${root}/in/d/f `, 'new');
    await b.put(`${root}/in/more/1`, 'new');
    await a.put(`${root}/out/f`, 'old');
    await a.put(`${root}/out/d/f `, 'older');
    await a.put(`${root}/out/extra/1`, 'extra');
    const before = await a.tree(`${root}/out`);
    const args = ['copy', '--silent', '--force', '--exact', '--delete', '--backup-dir', `${root}/kept`];
    const { status } = await pair.run([...args, `B:${root}/in`, `A:${root}/out`], { conf });
    const refused = await pair.run(['undo', status.Job, '--yes'], { conf });
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('--skip-trash deletes it for good');
    const { code, stdout, stderr } = await pair.run(['undo', status.Job, '--yes', '--skip-trash'], { conf });
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(await a.tree(`${root}/out`)).toEqual(before);
  });
});

describe.concurrent('undo of a job without --backup-dir', () => {
  test('removes what it made, takes what it deleted out of the trash, and leaves what it replaced', async () => {
    const mirror = await make('bare');
    const { pair } = mirror;
    const before = await seen(mirror);
    // Something of one of the names is in the trash already: the new one gets the time behind its name.
    await pair.b.put(`${inTrash(mirror.mirror)}/extra`, 'extra');
    const copy = await mirror.copy(['--force', '--delete', '--max-delete', '100%']);
    expect(copy.code, copy.stderr).toBe(0);
    const { code, stderr, stdout } = await pair.run(['undo', copy.status.Job, '--yes']);
    expect(code, stdout).toBe(1);
    expect(stderr).toContain('the job kept no backups (--backup-dir): what it replaced stays as it is');
    const after = await seen(mirror);
    const replaced = new Set(REPLACED.map((path) => `/${path}`));
    const others = (all: Record<string, string>) => Object.entries(all).filter(([path]) => !replaced.has(path));
    expect(others(after)).toEqual(others(before));
    for (const path of REPLACED) {
      expect((await pair.b.get(`${mirror.mirror}/${path}`)).toString()).toBe(`new ${path}`);
      expect(stdout).toContain(`leave     ${mirror.mirror}/${path}  (the job replaced what stood there before`);
    }
  });

  test('finds what lies in the trash of an earlier day, and says what is gone from it', async () => {
    const mirror = await Mirror.make(bed, 'undo-emptied', ['same'], ['extra/1', 'lost', 'more/2']);
    const { b } = mirror.pair;
    const before = await seen(mirror);
    const copy = await mirror.copy(['--delete', '--max-delete', '100%']);
    expect(copy.code, copy.stderr).toBe(0);
    const day = `/user/root/.Trash/201231235959${mirror.mirror}`;
    await b.mkdirs(day);
    for (const name of ['extra', 'more'])
      await b.call('PUT', 'RENAME', `${inTrash(mirror.mirror)}/${name}`, { destination: `${day}/${name}` });
    await b.remove(`${inTrash(mirror.mirror)}/lost`);
    const { code, stdout } = await mirror.pair.run(['undo', copy.status.Job, '--yes']);
    expect(code).toBe(1);
    expect(stdout).toContain(`leave     ${mirror.mirror}/lost  (it was deleted, and is not in the trash any more)`);
    const { '/lost': _, ...rest } = before;
    expect(await seen(mirror)).toEqual(rest);
  });

  test('tells a file of the same length that somebody wrote long after from the one that it made', async () => {
    const mirror = await Mirror.make(bed, 'undo-time', ['same'], []);
    const { a, b } = mirror.pair;
    await a.put(`${mirror.source}/f`, 'mine');
    await a.put(`${mirror.source}/g`, 'mine');
    const copy = await mirror.copy([]);
    await b.put(`${mirror.mirror}/f`, 'hers');
    await b.call('PUT', 'SETTIMES', `${mirror.mirror}/f`, { modificationtime: String(Date.now() + 60_000) });
    const { code, stdout } = await mirror.pair.run(['undo', copy.status.Job, '--yes']);
    expect(code).toBe(1);
    expect(stdout).toContain(`leave     ${mirror.mirror}/f  (it was changed or replaced since the job)`);
    expect(await mirror.names()).toEqual(['f', 'same']);
  });
});

test('undo says which files it knows nothing of, since an earlier version has copied them', async () => {
  const mirror = await Mirror.make(bed, 'undo-earlier', ['same'], []);
  const { pair } = mirror;
  await pair.a.put(`${mirror.source}/new`, 'new');
  const { status } = await mirror.copy([]);
  const database = new DatabaseSync(join(pair.home, 'jobs.db'));
  database.exec('DROP TABLE made; DROP TABLE file_lines');
  database.close();
  const { code, stderr } = await pair.run(['undo', status.Job, '--yes']);
  expect(code).toBe(1);
  expect(stderr).toContain('1 files were copied by an earlier version');
  expect(await mirror.names()).toEqual(['new', 'same']);
});

test('undo of a download deletes what it made on the local disk', async () => {
  const pair = await TwoClusters.make(bed, 'undo-local');
  const { root, b } = pair;
  await b.put(`${root}/in/d/f`, 'new');
  const directory = newHome();
  writeFileSync(join(directory, 'mine'), 'mine');
  const copy = await pair.run(['copy', '--silent', '--exact', '--preserve', `B:${root}/in`, `local:${directory}/in`]);
  expect(copy.code, copy.stderr).toBe(0);
  const refused = await pair.run(['undo', copy.status.Job, '--yes']);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('it has no trash');
  const { code, stdout } = await pair.run(['undo', copy.status.Job, '--yes', '--skip-trash']);
  expect(code, stdout).toBe(0);
  expect(readdirSync(directory)).toEqual(['mine']);
});

describe.concurrent('undo is refused', () => {
  test('for a job that nobody knows, one in AWS, and one that was cleaned', async () => {
    const mirror = await Mirror.make(bed, 'undo-refused', ['same'], ['extra']);
    const { pair } = mirror;
    const home = newHome();
    await pair.expectRefused(['undo', 'nobody', '--yes'], { code: 2, says: ['no job nobody'], home });
    await pair.expectRefused(['undo', 'job', '--yes', '--stack', 'S'], { code: 2, says: ['hdfs dfs -mv'], home });
    const { status } = await mirror.copy(['--delete', '--backup-dir', `${pair.root}/kept`, '--max-delete', '100%']);
    expect((await pair.run(['clean', status.Job])).code).toBe(0);
    const says = ['nothing tells what it did', `its backups lie in ${pair.root}/kept/${status.Job}`];
    await pair.expectRefused(['undo', status.Job, '--yes'], { code: 2, says });
    expect((await pair.b.get(`${pair.root}/kept/${status.Job}/extra`)).toString()).toBe('extra');
  });
});
