import { describe, expect, inject, test } from 'vitest';
import { existingChoices } from '../../shared/job/existing.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** What becomes of files that exist at the destination, for each value of --existing. */

const bed = inject('bed');

/** One file of each kind, as the source and the destination have it; `directory` is one at the destination. */
const files: Record<string, readonly [source: string, destination: string | undefined]> = {
  content: ['content', 'CONTENT'],
  directory: ['directory', undefined],
  empty: ['', ''],
  length: ['length', 'another length'],
  new: ['new', undefined],
  same: ['same', 'same'],
};
const names = Object.keys(files);

async function makeFiles(name: string): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `existing-${name}`);
  const { a, b, root } = pair;
  await b.mkdirs(`${root}/tree/directory`);
  for (const [file, [source, destination]] of Object.entries(files)) {
    if (destination !== undefined) await b.put(`${root}/tree/${file}`, destination);
    await a.put(`${root}/tree/${file}`, source);
  }
  return pair;
}

const pathsOf = ({ root }: TwoClusters) => ['--exact', `A:${root}/tree`, `B:${root}/tree`];

describe.concurrent('files that exist', () => {
  const expected = {
    fail: { copied: ['new'], skipped: ['empty', 'same'], failed: ['content', 'directory', 'length'] },
    skip: { copied: ['new'], skipped: ['content', 'empty', 'length', 'same'], failed: ['directory'] },
    update: { copied: ['content', 'length', 'new'], skipped: ['empty', 'same'], failed: ['directory'] },
    overwrite: { copied: ['content', 'empty', 'length', 'new', 'same'], skipped: [], failed: ['directory'] },
  };
  const reasons = { fail: { 'both empty': 1, 'identical content': 1 }, skip: { exists: 4 } };

  test.each(existingChoices)('--existing %s: a dry run tells what the copy does', async (existing) => {
    const pair = await makeFiles(existing);
    const { b, root } = pair;
    const { copied, skipped, failed } = expected[existing];
    const before = await b.tree(root);
    const inodes = async () =>
      new Map((await b.list(`${root}/tree`)).map(({ pathSuffix, fileId }) => [pathSuffix, fileId]));
    const old = await inodes();
    const dry = await pair.run(['copy', '--dry-run', '--json', '--existing', existing, ...pathsOf(pair)]);
    const told = dry.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { source?: string; action: string });
    const toldAs = (...actions: string[]) =>
      told.flatMap(({ source, action }) => (source && actions.includes(action) ? [source.slice(root.length + 6)] : []));
    expect([toldAs('copy', 'overwrite'), toldAs('skip'), toldAs('fail')]).toEqual([copied, skipped, failed]);
    expect(await b.tree(root)).toEqual(before);

    const { code, status } = await pair.run(['copy', '--silent', '--existing', existing, ...pathsOf(pair)]);
    expect(code).toBe(1);
    expect(status).toMatchObject({
      'Files Copied': copied.length,
      'Files Skipped': skipped.length,
      'Files Failed': failed.length,
      Skipped: { fail: reasons.fail, skip: reasons.skip, update: reasons.fail, overwrite: {} }[existing],
    });
    const now = await inodes();
    const replaced = names.filter((name) => now.get(name) !== old.get(name));
    expect(replaced).toEqual(copied);
    for (const name of copied) expect(String(await b.get(`${root}/tree/${name}`))).toBe(files[name]?.[0]);
    expect(temporaryNames(await b.tree(root))).toEqual([]);
  });

  test('--existing skip asks nothing about them but their listing', async () => {
    const pair = await makeFiles('requests');
    const { root } = pair;
    await using a = await FaultProxy.start(bed.a, { datanodes: true });
    await using b = await FaultProxy.start(bed.b, { datanodes: true });
    const conf = pair.conf({ A: { url: a.url }, B: { url: b.url } });
    await pair.run(['copy', '--silent', '--preserve', '--existing', 'skip', ...pathsOf(pair)], { conf });
    const about = (name: string) =>
      [...a.requests, ...b.requests].filter(({ path }) => path === `${root}/tree/${name}`);
    expect(about('new')).not.toEqual([]);
    const attributes = /^(SET|GETACLSTATUS)/;
    for (const name of ['content', 'empty', 'length', 'same']) {
      expect(about(name).filter(({ operation }) => !attributes.test(operation))).toEqual([]);
    }
  });

  test('--existing skip brings their attributes up to date under --preserve, and leaves their bytes', async () => {
    const pair = await TwoClusters.make(bed, 'existing-attributes');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/file`, 'new content', { permission: '640' });
    await b.put(`${root}/tree/file`, 'old', { permission: '604' });
    const { code, status } = await pair.run(['copy', '--preserve', '--existing', 'skip', ...pathsOf(pair)]);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Skipped': 1, Skipped: { exists: 1 }, 'Attributes Updated': 1 });
    expect(String(await b.get(`${root}/tree/file`))).toBe('old');
    expect((await b.status(`${root}/tree/file`)).permission).toBe('640');
  });

  test.each(['skip', 'update', 'overwrite'])(
    '--existing %s copies into a tree that exists, as --force does',
    async (existing) => {
      const pair = await TwoClusters.make(bed, `existing-into-${existing}`);
      const { a, b, root } = pair;
      await a.put(`${root}/in/tree/file`, 'new content');
      await b.put(`${root}/tree/file`, 'old');
      const { code } = await pair.run(['copy', '--existing', existing, `A:${root}/in/tree`, `B:${root}`]);
      expect(code).toBe(0);
      expect(String(await b.get(`${root}/tree/file`))).toBe(existing === 'skip' ? 'old' : 'new content');
    },
  );

  test('are told of in one way', async () => {
    const pair = await TwoClusters.make(bed, 'existing-twice');
    for (const flag of ['--force', '--no-checksum']) {
      await pair.expectRefused(['copy', '--existing', 'update', flag, ...pathsOf(pair)], {
        code: 2,
        says: [`--existing update and ${flag} both say what becomes of existing files`],
      });
    }
  });
});

describe.concurrent('a name that is taken while its file is copied', () => {
  /** Copies one file, and takes its name once the copy has sent `operation`. */
  async function takenAt(
    name: string,
    { at, operation }: { at: 'A' | 'B'; operation: string },
    flags: readonly string[],
    take: (pair: TwoClusters, path: string) => Promise<void> = ({ b }, path) => b.put(path, 'stranger'),
  ) {
    const pair = await TwoClusters.make(bed, `existing-taken-${name}`);
    const path = `${pair.root}/tree/file`;
    await pair.a.put(path, 'from the source');
    let isTaken = false;
    await using proxy = await FaultProxy.start(at === 'A' ? bed.a : bed.b, {
      react: async (request) => {
        if (isTaken || request.operation !== operation || !request.path.includes('/tree/')) return undefined;
        isTaken = true;
        await take(pair, path);
        return undefined;
      },
    });
    const args = ['copy', '--silent', ...flags, ...pathsOf(pair)];
    const result = await pair.run(args, { conf: pair.conf({ [at]: { url: proxy.url } }) });
    expect(isTaken).toBe(true);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
    return { ...result, pair, path };
  }

  test.each([
    ['before it is written', 'A', 'OPEN', []],
    ['before it is renamed', 'B', 'RENAME', []],
    ['before it is written under its own name', 'A', 'OPEN', ['--direct']],
    ['before its own name is looked at', 'B', 'GETFILESTATUS', ['--direct']],
  ] as const)('%s is left alone by --existing skip', async (when, at, operation, flags) => {
    const name = when.replaceAll(' ', '-');
    const { status, pair, path } = await takenAt(name, { at, operation }, ['--existing', 'skip', ...flags]);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Skipped': 1, Skipped: { exists: 1 } });
    expect(String(await pair.b.get(path))).toBe('stranger');
  });

  test('fails where nothing is said of it, and is not replaced', async () => {
    const { status, pair, path } = await takenAt('fail', { at: 'B', operation: 'RENAME' }, []);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Files Skipped': 0 });
    expect(String(await pair.b.get(path))).toBe('stranger');
  });

  test('by a directory fails, also with --existing skip', async () => {
    const take = ({ b }: TwoClusters, path: string) => b.mkdirs(path);
    const { status } = await takenAt('directory', { at: 'B', operation: 'RENAME' }, ['--existing', 'skip'], take);
    expect(status).toMatchObject({ 'Files Failed': 1, 'Files Skipped': 0 });
  });
});

describe.concurrent('a resume', () => {
  test.each([
    ['skip', { Outcome: 'Failed', 'Files Copied': 1, 'Files Skipped': 4, 'Files Failed': 1 }],
    ['update', { Outcome: 'Failed', 'Files Copied': 3, 'Files Skipped': 2, 'Files Failed': 1 }],
  ])('with --existing %s decides anew what failed', async (existing, status) => {
    const pair = await makeFiles(`resume-${existing}`);
    const { status: first } = await pair.run(['copy', '--silent', ...pathsOf(pair)]);
    expect(first).toMatchObject({ 'Files Copied': 1, 'Files Skipped': 2, 'Files Failed': 3 });
    const resumed = await pair.run(['copy', '--silent', '--resume', first.Job, '--existing', existing]);
    expect(resumed.status).toMatchObject(status);
    const content = String(await pair.b.get(`${pair.root}/tree/length`));
    expect(content).toBe(files['length']?.[existing === 'skip' ? 1 : 0]);
  });

  test('takes nothing back of what may have been replaced', async () => {
    const pair = await makeFiles('resume-back');
    const { status } = await pair.run(['copy', '--silent', '--existing', 'update', ...pathsOf(pair)]);
    await pair.expectRefused(['copy', '--resume', status.Job, '--existing', 'skip'], {
      code: 2,
      says: ['options.existing cannot change from update to skip: files may have been replaced already'],
    });
  });
});
