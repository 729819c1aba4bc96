import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { newHome } from '../support/cli.ts';
import { inTrash, Mirror } from '../support/mirror.ts';

/** What --delete deletes, and where that goes; what keeps it from deleting is in deletes-refused and deletes-kept. */

const bed = inject('bed');
const KEPT = ['a', 'both/b', 'both/deep/c'];
const EXTRA = ['both/new', 'extra/1', 'extra/deep/2', 'first'];
const EXTRA_BYTES = EXTRA.join('').length;

const make = (name: string) => Mirror.make(bed, name, KEPT, EXTRA);

describe.concurrent('--delete', () => {
  test('moves what only the destination has to where hdfs dfs -rm would, and nothing the second time', async () => {
    const mirror = await make('trash');
    await mirror.pair.b.mkdirs(`${mirror.mirror}/hollow/inner`);
    const { code, stderr, status } = await mirror.copy(['--delete']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Files Skipped': KEPT.length,
      'Files Deleted': EXTRA.length,
      'Size Deleted': EXTRA_BYTES,
    });
    await mirror.expectEqual();
    expect(await mirror.trashed()).toEqual(
      [
        'both/',
        'both/new',
        'extra/',
        'extra/1',
        'extra/deep/',
        'extra/deep/2',
        'first',
        'hollow/',
        'hollow/inner/',
      ].sort(),
    );
    const trash = await mirror.pair.b.status(inTrash(mirror.mirror));
    expect(trash).toMatchObject({ permission: '700', owner: 'root' });
    const again = await mirror.copy(['--delete']);
    expect(again.status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 0, 'Size Deleted': 0 });
    await mirror.expectEqual();
  });

  test('deletes for good with --skip-trash', async () => {
    const mirror = await make('skip');
    await mirror.pair.b.mkdirs(`${mirror.mirror}/hollow/inner`);
    const { code, status } = await mirror.copy(['--delete', '--skip-trash']);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': EXTRA.length, 'Size Deleted': EXTRA_BYTES });
    await mirror.expectEqual();
    expect(await mirror.trashed()).toEqual([]);
  });

  test('is told entry by entry with --json', async () => {
    const mirror = await make('json');
    const { stdout } = await mirror.copy(['--delete', '--json']);
    const told = stdout.split('\n').filter((line) => line.includes('"type":"deletion"'));
    expect(told.map((line) => JSON.parse(line) as object)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: `${mirror.mirror}/extra`, kind: 'directory', outcome: 'deleted', files: 2 }),
        expect.objectContaining({ path: `${mirror.mirror}/first`, kind: 'file', outcome: 'deleted', bytes: 5 }),
      ]),
    );
    expect(told).toHaveLength(3);
  });

  test('changes nothing in a dry run, which tells what would go', async () => {
    const mirror = await make('dry');
    const before = await mirror.names();
    const { code, stdout } = await mirror.copy(['--delete', '--dry-run']);
    expect(code).toBe(0);
    const lines = stdout.split('\n').filter((line) => line.startsWith('delete'));
    expect(lines).toEqual([
      `delete    ${mirror.mirror}/both/new`,
      `delete    ${mirror.mirror}/extra  (with 2 files, 19 B)`,
      `delete    ${mirror.mirror}/first`,
    ]);
    expect(stdout).toContain('delete 4 files, 32 B');
    expect(await mirror.names()).toEqual(before);
    expect(await mirror.trashed()).toEqual([]);
  });

  test('adds the time to a name that is taken in the trash, also to that of a directory under a name of a file', async () => {
    const mirror = await Mirror.make(bed, 'taken', ['a'], ['twice', 'kind']);
    const { b } = mirror.pair;
    await mirror.copy(['--delete']);
    await b.put(`${mirror.mirror}/twice`, 'again');
    // In a directory that stays, so that it is made in the trash, where a file has its name.
    await mirror.pair.a.put(`${mirror.source}/kind/stays`, 's');
    await b.put(`${mirror.mirror}/kind/goes`, 'g');
    const { code, stderr, status } = await mirror.copy(['--delete']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Deleted': 2 });
    await mirror.expectEqual();
    const trashed = await mirror.trashed();
    expect(trashed).toHaveLength(5);
    expect(trashed).toEqual(expect.arrayContaining(['kind', 'twice', expect.stringMatching(/^twice\d{13}$/)]));
    expect(trashed).toContainEqual(expect.stringMatching(/^kind\d{13}\/goes$/));
    expect(String(await b.get(inTrash(`${mirror.mirror}/twice`)))).toBe('twice');
  });

  test('shortens a name that is taken in the trash and as long as a name may be', async () => {
    const [twice, kind] = ['é'.repeat(127), 'n'.repeat(255)];
    const mirror = await Mirror.make(bed, 'taken-long', ['a'], [twice, kind]);
    const { a, b } = mirror.pair;
    await mirror.copy(['--delete']);
    await b.put(`${mirror.mirror}/${twice}`, 'again');
    await a.put(`${mirror.source}/${kind}/stays`, 's');
    await b.put(`${mirror.mirror}/${kind}/goes`, 'g');
    const { code, stderr, status } = await mirror.copy(['--delete']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Deleted': 2 });
    await mirror.expectEqual();
    const trashed = await mirror.trashed();
    expect(trashed).toHaveLength(5);
    expect(trashed).toEqual(expect.arrayContaining([twice, kind, expect.stringMatching(/^é{121}\d{13}$/)]));
    expect(trashed).toContainEqual(expect.stringMatching(/^n{242}\d{13}\/goes$/));
  });

  test('has directories keep their times under --preserve', async () => {
    const mirror = await make('times');
    expect((await mirror.copy(['--delete', '--preserve'])).code).toBe(0);
    const { a, b } = mirror.pair;
    const times = async (at: Promise<{ modificationTime: number }>) => (await at).modificationTime;
    expect(await times(b.status(`${mirror.mirror}/both`))).toBe(await times(a.status(`${mirror.source}/both`)));
  });

  test('deletes from a local disk for good, which has no trash', async () => {
    const mirror = await make('local');
    const to = join(newHome(), 'mirror');
    const copy = (...flags: string[]) =>
      mirror.pair.run(['copy', '--silent', '--exact', ...flags, `A:${mirror.source}`, `local:${to}`]);
    await mirror.pair.run(['copy', '--silent', '--exact', `B:${mirror.mirror}`, `local:${to}`]);
    const refused = await copy('--delete');
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('--skip-trash deletes for good');
    const { code, status } = await copy('--delete', '--skip-trash');
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': EXTRA.length, 'Size Deleted': EXTRA_BYTES });
  });
});

describe.concurrent('the brake', () => {
  const many = Array.from({ length: 30 }, (_, i) => `extra/${i}`);

  test.each([
    ['by default', 25, [], 'more than the limit of 20'],
    ['by number', 3, ['--max-delete', '2'], 'more than the limit of 2'],
    ['by percent', 4, ['--max-delete', '50%'], 'more than the limit of 3'],
    ['at none', 1, ['--max-delete', '0'], 'more than the limit of 0'],
  ])('%s keeps all, says how many it would have been, and lets a resume go on', async (name, extras, flags, says) => {
    const mirror = await Mirror.make(bed, `brake-${name.replaceAll(' ', '-')}`, KEPT, many.slice(0, extras));
    const before = await mirror.names();
    const dry = await mirror.copy(['--delete', '--dry-run', ...flags]);
    expect({ code: dry.code, says: dry.stderr.includes(says) }).toEqual({ code: 3, says: true });
    const { code, stderr, status } = await mirror.copy(['--delete', ...flags]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${extras} of the destination's ${extras + KEPT.length} files`);
    expect(stderr).toContain(says);
    expect(status).toMatchObject({ Outcome: 'Failed', 'Files Skipped': KEPT.length, 'Files Deleted': 0 });
    expect(await mirror.names()).toEqual(before);
    const resumed = await mirror.resume(status.Job, ['--max-delete', String(extras)]);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': extras });
    await mirror.expectEqual();
  });

  test('lets as many go as it says', async () => {
    const mirror = await Mirror.make(bed, 'brake-20', KEPT, many.slice(0, 20));
    expect((await mirror.copy(['--delete'])).status).toMatchObject({ Outcome: 'Successful', 'Files Deleted': 20 });
    await mirror.expectEqual();
  });
});

describe.concurrent('--track-missing', () => {
  test('lists what only the destination has, and deletes nothing', async () => {
    const mirror = await make('track');
    const before = await mirror.names();
    const file = join(newHome(), 'missing.jsonl');
    const { code, status } = await mirror.copy(['--track-missing', file]);
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Deleted': 0 });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const listed = lines.map((line) => JSON.parse(line) as { path: string; kind: string; bytes?: number });
    expect(listed.map(({ path }) => path.slice(mirror.mirror.length + 1))).toEqual([
      'both/new',
      'extra/1',
      'extra/deep/2',
      'extra/deep',
      'extra',
      'first',
    ]);
    expect(listed[0]).toMatchObject({ kind: 'file', bytes: 8 });
    expect(await mirror.names()).toEqual(before);
  });

  test('is refused before a byte moves where its file could not be written', async () => {
    const mirror = await make('track-nowhere');
    const { code, stderr } = await mirror.copy(['--track-missing', '/nowhere/missing.jsonl']);
    expect({ code, says: stderr.includes('--track-missing /nowhere/missing.jsonl') }).toEqual({ code: 2, says: true });
  });
});
