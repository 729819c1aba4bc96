import { describe, expect, inject, test } from 'vitest';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { Mirror } from '../support/mirror.ts';

/** A file of the source where the mirror has a directory, and the other way round. */

const bed = inject('bed');
const KEPT = ['a', 'both/b'];
/** In directories of the mirror under whose names the source has files. */
const IN_FILES = ['both/file/1', 'both/file/deep/2', 'file/3'];
const FILES = ['both/file', 'file'];
/** Files of the mirror under whose names the source has directories. */
const UNDER_DIRECTORIES = ['both/directory', 'directory'];
const IN_DIRECTORIES = ['both/directory/1', 'directory/deep/er/2', 'directory/3'];
const NEW = [...FILES, ...IN_DIRECTORIES];
const OLD = [...IN_FILES, ...UNDER_DIRECTORIES];

async function make(name: string): Promise<Mirror> {
  const mirror = await Mirror.make(bed, `types-${name}`, KEPT, [...OLD, 'extra/1']);
  const { a } = mirror.pair;
  await Promise.all(NEW.map((path) => a.put(`${mirror.source}/${path}`, `new ${path}`)));
  await a.mkdirs(`${mirror.source}/directory/hollow/inner`);
  return mirror;
}

/** Does something once, before the n-th request of a kind goes on. */
function before(operation: string, path: string, nth: number, act: () => Promise<void>): FaultProxyOptions {
  let seen = 0;
  return {
    react: async (request) => {
      if (request.operation === operation && request.path === path && ++seen === nth) await act();
      return undefined;
    },
  };
}

const told = {
  'Files Expected': KEPT.length + NEW.length,
  'Files Copied': NEW.length,
  'Files Skipped': KEPT.length,
  'Files Failed': 0,
};

describe.concurrent('type changes with --delete', () => {
  test.each([[[]], [['--skip-trash']]])('are deleted and copied, and nothing is left to do, with %j', async (flags) => {
    const mirror = await make(`copied${flags.length}`);
    const { code, stderr, status } = await mirror.copy(['--delete', ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ ...told, Outcome: 'Successful', 'Files Deleted': OLD.length + 1 });
    await mirror.expectEqual();
    const trashed = (await mirror.trashed()).filter((path) => !path.endsWith('/'));
    expect(trashed).toEqual(flags.length > 0 ? [] : [...OLD, 'extra/1'].sort());
    const again = await mirror.copy(['--delete', ...flags]);
    expect(again.status).toMatchObject({
      Outcome: 'Successful',
      'Files Copied': 0,
      'Files Skipped': KEPT.length + NEW.length,
      'Files Deleted': 0,
    });
  });

  test('of every kind: empty, nested, under odd names, and two that trade their names', async () => {
    const odd = ['100%', 'a b', 'semi;colon', 'plus+', 'two\nlines', '😀'];
    const mirror = await Mirror.make(bed, 'types-kinds', KEPT, [
      ...odd.map((name) => `odd/${name}/old`),
      ...odd.map((name) => `names/${name}`),
      ...['nested/x/x/x', 'deep/y', 'traded/p', 'traded/q/in', 'to-hollow', 'longer', 'longest/1'],
    ]);
    const { a, b } = mirror.pair;
    const files = [
      ...odd.map((name) => `odd/${name}`),
      ...odd.map((name) => `names/${name}/new`),
      ...['nested/x', 'deep/y/y/y', 'traded/q', 'traded/p/in', 'longer/1', 'longest', 'longer2'],
    ];
    await Promise.all(files.map((path) => a.put(`${mirror.source}/${path}`, path)));
    await a.put(`${mirror.source}/from-hollow`, '');
    await a.mkdirs(`${mirror.source}/to-hollow`);
    await b.mkdirs(`${mirror.mirror}/from-hollow/in`);
    const { code, stderr, status } = await mirror.copy(['--delete', '--max-delete', '100%']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': files.length + 1, 'Files Deleted': 2 * odd.length + 7 });
    await mirror.expectEqual();
    expect((await mirror.copy(['--delete'])).status).toMatchObject({ 'Files Copied': 0, 'Files Deleted': 0 });
  });

  test('bring the attributes of their directories along', async () => {
    const mirror = await make('attributes');
    const { a, b } = mirror.pair;
    await a.call('PUT', 'SETPERMISSION', `${mirror.source}/directory/hollow`, { permission: '1750' });
    await a.call('PUT', 'SETPERMISSION', `${mirror.source}/directory`, { permission: '711' });
    expect((await mirror.copy(['--delete', '--preserve'])).code).toBe(0);
    for (const path of ['', '/both', '/both/directory', '/directory', '/directory/hollow', '/directory/hollow/inner']) {
      const [{ permission, modificationTime }, there] = await Promise.all([
        a.status(`${mirror.source}${path}`),
        b.status(`${mirror.mirror}${path}`),
      ]);
      expect({ path, ...there }).toMatchObject({ path, permission, modificationTime });
    }
  });

  test('count with the brake, which keeps both, and are copied by a resume that may delete more', async () => {
    const mirror = await make('brake');
    const names = await mirror.names();
    const { code, stderr, status } = await mirror.copy(['--delete', '--max-delete', String(OLD.length)]);
    expect(code).toBe(3);
    expect(stderr).toContain(`more than the limit of ${OLD.length}`);
    expect(status).toMatchObject({ Outcome: 'Failed', 'Files Deleted': 0 });
    expect(await mirror.names()).toEqual(names);
    const resumed = await mirror.resume(status.Job, ['--max-delete', '100']);
    expect(resumed.code).toBe(0);
    expect(resumed.status).toMatchObject({ ...told, Outcome: 'Successful', 'Files Deleted': OLD.length + 1 });
    await mirror.expectEqual();
  });

  test('wait until every other file is copied, and are told until then', async () => {
    const mirror = await make('wait');
    const names = await mirror.names();
    await mirror.pair.a.put(`${mirror.source}/other`, 'other');
    const refused = {
      RemoteException: { exception: 'AccessControlException', javaClassName: 'x', message: 'not for you' },
    };
    await using proxy = await FaultProxy.start(bed.a, {
      react: ({ operation, path }) =>
        operation === 'OPEN' && path === `${mirror.source}/other`
          ? { answer: { status: 403, body: JSON.stringify(refused) } }
          : undefined,
    });
    const conf = mirror.pair.conf({ A: { url: proxy.url } });
    const { code, status } = await mirror.copy(['--delete'], { conf });
    expect(code).toBe(1);
    expect(status).toMatchObject({ Outcome: 'Failed', 'Files Failed': 1, 'Files Deleted': 0 });
    expect(status['Not Deleted']).toBe('1 files failed, and 4 type changes wait for that');
    expect(await mirror.names()).toEqual(names);
    const resumed = await mirror.resume(status.Job);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': NEW.length + 1 });
    await mirror.expectEqual();
  });

  test.each([
    ['a temporary file of another job', 'file/_hdfs-fanout.other.0.0.1.0', []],
    ['what is excluded', 'file/x.keep', ['--exclude', '*.keep']],
  ])('fail by name where %s stays', async (name, path, flags) => {
    const mirror = await make(`stays-${name.replaceAll(' ', '-')}`);
    await mirror.pair.b.put(`${mirror.mirror}/${path}`, 'stays');
    const { code, status } = await mirror.copy(['--delete', ...flags]);
    expect(code).toBe(1);
    expect(status).toMatchObject({ ...told, Outcome: 'Failed', 'Files Copied': NEW.length - 1, 'Files Failed': 1 });
    expect(await mirror.names()).toContain(path);
    const { stdout } = await mirror.pair.run(['status', status.Job, '--failures']);
    expect(stdout).toContain(`${mirror.source}/file`);
    expect(stdout).toContain('a directory stands at the destination, and was not deleted');
  });

  test('fail by name where the old one was changed since it was listed', async () => {
    const mirror = await make('changed');
    const { b } = mirror.pair;
    const change = async () => {
      await b.put(`${mirror.mirror}/file/3`, 'by somebody else');
      await b.put(`${mirror.mirror}/directory`, 'by somebody else');
    };
    // Listed by the plan and by the search for extras, then once more before anything is deleted.
    await using proxy = await FaultProxy.start(bed.a, before('LISTSTATUS_BATCH', mirror.source, 4, change));
    const conf = mirror.pair.conf({ A: { url: proxy.url } });
    const { code, status } = await mirror.copy(['--delete'], { conf });
    expect(code).toBe(1);
    expect(status).toMatchObject({
      Outcome: 'Failed',
      'Files Failed': 2,
      'Deletes Kept': { 'changed since it was listed': 2 },
    });
    expect(String(await b.get(`${mirror.mirror}/file/3`))).toBe('by somebody else');
    expect(String(await b.get(`${mirror.mirror}/directory`))).toBe('by somebody else');
    const { stdout } = await mirror.pair.run(['status', status.Job, '--failures']);
    expect(stdout).toContain('a directory stands at the destination, and was not deleted');
    expect(stdout).toContain('a file stands where it is needed');
  });

  test('keep the old one where the new one has vanished', async () => {
    const mirror = await make('vanished');
    const { a } = mirror.pair;
    const vanish = async () => {
      await a.call('DELETE', 'DELETE', `${mirror.source}/file`);
      await a.call('DELETE', 'DELETE', `${mirror.source}/directory`, { recursive: 'true' });
    };
    await using proxy = await FaultProxy.start(bed.a, before('LISTSTATUS_BATCH', mirror.source, 4, vanish));
    const conf = mirror.pair.conf({ A: { url: proxy.url } });
    const { code, status } = await mirror.copy(['--delete'], { conf });
    expect(code).toBe(1);
    expect(status).toMatchObject({
      Outcome: 'Failed',
      'Files Failed': 2,
      'Deletes Kept': { 'what was to replace it has vanished': 2 },
    });
    expect(await mirror.names()).toEqual(expect.arrayContaining(['file/3', 'directory']));
  });

  test('are copied where somebody else removed the old one', async () => {
    const mirror = await make('removed');
    const remove = async () => {
      await mirror.pair.b.call('DELETE', 'DELETE', `${mirror.mirror}/file`, { recursive: 'true' });
      await mirror.pair.b.call('DELETE', 'DELETE', `${mirror.mirror}/directory`);
    };
    await using proxy = await FaultProxy.start(bed.a, before('LISTSTATUS_BATCH', mirror.source, 3, remove));
    const conf = mirror.pair.conf({ A: { url: proxy.url } });
    const { code, status } = await mirror.copy(['--delete'], { conf });
    expect(code).toBe(0);
    expect(status).toMatchObject({ ...told, Outcome: 'Successful', 'Files Deleted': OLD.length + 1 - 2 });
    await mirror.expectEqual();
  });

  test('that came after the plan are neither deleted nor copied', async () => {
    const mirror = await make('late');
    const { a, b } = mirror.pair;
    const change = async () => {
      await a.call('DELETE', 'DELETE', `${mirror.source}/a`);
      await a.put(`${mirror.source}/a/late`, 'late');
    };
    await using proxy = await FaultProxy.start(bed.a, before('LISTSTATUS_BATCH', mirror.source, 3, change));
    const conf = mirror.pair.conf({ A: { url: proxy.url } });
    const { status } = await mirror.copy(['--delete'], { conf });
    expect(status).toMatchObject({ ...told, 'Files Deleted': OLD.length + 1 });
    expect(String(await b.get(`${mirror.mirror}/a`))).toBe('a');
    expect((await mirror.copy(['--delete'])).code).toBe(0);
    await mirror.expectEqual();
  });

  test('are told by a dry run, which changes nothing', async () => {
    const mirror = await make('dry');
    const names = await mirror.names();
    const { code, stdout } = await mirror.copy(['--delete', '--dry-run']);
    expect(code).toBe(0);
    const to = mirror.mirror;
    expect(stdout.split('\n').filter((line) => line.startsWith('delete'))).toEqual([
      `delete    ${to}/both/directory  (a directory takes its place)`,
      `delete    ${to}/both/file  (with 2 files, 27 B, a file takes its place)`,
      `delete    ${to}/directory  (a directory takes its place)`,
      `delete    ${to}/extra  (with 1 files, 7 B)`,
      `delete    ${to}/file  (with 1 files, 6 B, a file takes its place)`,
    ]);
    for (const path of NEW) expect(stdout).toContain(`copy      ${mirror.source}/${path} -> ${to}/${path}`);
    expect(await mirror.names()).toEqual(names);
  });

  test('leave nothing behind when the job is cleaned', async () => {
    const mirror = await make('clean');
    const { status } = await mirror.copy(['--delete', '--max-delete', '0']);
    const { code } = await mirror.pair.run(['clean', status.Job]);
    expect(code).toBe(0);
    const resumed = await mirror.resume(status.Job);
    expect(resumed.stderr).toContain('was cleaned');
    expect(await mirror.trashed()).toEqual([]);
  });
});

test('type changes without --delete fail by name, and the remedy says what would help', async () => {
  const mirror = await make('without');
  const names = await mirror.names();
  const { code, status } = await mirror.copy([]);
  expect(code).toBe(1);
  expect(status).toMatchObject({ 'Files Failed': 4, 'Files Deleted': 0 });
  expect((await mirror.names()).filter((path) => names.includes(path))).toEqual(names);
  const { stdout } = await mirror.pair.run(['status', status.Job, '--failures']);
  for (const path of [...FILES, ...UNDER_DIRECTORIES]) expect(stdout).toContain(`${mirror.source}/${path}`);
  expect(stdout.match(/--exact --delete/g)).toHaveLength(4);
});
