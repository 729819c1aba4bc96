import { expect, inject, test } from 'vitest';
import { namenodeOrder } from '../../shared/storage/order.ts';
import { startBed } from '../bed/bed.ts';
import { allOf, never } from '../support/files.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';
import { clientOf } from '../support/scripted-server.ts';

const bed = inject('bed');

/** Each twice: in another spelling, Unicode holds the two for one name. HDFS does not. */
const twins = [
  ['é', 'e\u0301'],
  ['Å', '\u212b'],
  ['Ω', '\u2126'],
  ['한', '\u1112\u1161\u11ab'],
  ['\u0308\u0301', '\u0344'],
  ['\u1ea1\u0301', 'a\u0301\u0323'],
  ['豈', '\uf900'],
] as const;

/** Names that look as if somebody had encoded, cut or lost them. */
const others = [
  'a%2Fb',
  'a%252Fb',
  '%',
  '+',
  'a+b',
  ';',
  ';x=1',
  '%C3%A9',
  '%65%CC%81',
  ' x',
  'x ',
  '\ufffd',
  '\ufffe',
  '\ufeffx',
  'a\u200db',
  '…',
  '...',
  '{a}',
];

async function makeTree(hdfs: TestHdfs, root: string): Promise<void> {
  for (const [i, name] of [...twins.flat(), ...others].entries()) {
    await hdfs.put(`${root}/files/${name}`, `file ${i}`);
    await hdfs.put(`${root}/directories/${name}/${name}`, `deeper ${i}`);
    await hdfs.mkdirs(`${root}/empty/${name}`);
  }
}

const KINDS = [
  { how: 'from namenode to namenode', from: {}, to: {} },
  { how: 'to HttpFS', from: {}, to: { url: bed.httpFs } },
  { how: 'from HttpFS', from: { url: bed.httpFs }, to: {} },
] as const;

test.each(KINDS)(
  'names that Unicode holds for one stay two, and every other is itself, $how',
  async ({ how, from, to }) => {
    const pair = await TwoClusters.make(bed, `unicode-${how.replaceAll(' ', '-')}`);
    const { root, a, b } = pair;
    // An HttpFS stands before A alone.
    const [source, destination] = 'url' in to ? [b, a] : [a, b];
    const [here, there] = 'url' in to ? ['B', 'A'] : ['A', 'B'];
    await makeTree(source, `${root}/tree`);
    const expected = await source.tree(`${root}/tree`);
    const files = 2 * (2 * twins.length + others.length);
    expect(Object.keys(expected).filter((path) => !path.endsWith('/'))).toHaveLength(files);

    const conf = pair.conf({ A: 'url' in to ? to : from });
    const copy = (...flags: string[]) =>
      pair.run(['copy', '--silent', ...flags, '--exact', `${here}:${root}/tree`, `${there}:${root}/copy`], { conf });
    const first = await copy();
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    expect(first.status).toMatchObject({ 'Files Copied': files, Retries: 0, Verified: { checksum: files } });
    const copied = await destination.tree(root);
    expect(temporaryNames(copied)).toEqual([]);
    expect(await destination.tree(`${root}/copy`)).toEqual(expected);

    const [[composed, decomposed]] = twins;
    await destination.put(`${root}/copy/files/${decomposed}`, 'changed');
    const second = await copy('--force');
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' });
    expect(second.status).toMatchObject({ 'Files Copied': 1, 'Files Skipped': files - 1 });
    expect(await destination.tree(`${root}/copy`)).toEqual(expected);
    expect(String(await destination.get(`${root}/copy/files/${composed}`))).toBe('file 0');
  },
);

test('one spelling alone is copied as itself: as the root, as a file, and into a directory that is its twin', async () => {
  const pair = await TwoClusters.make(bed, 'unicode-alone');
  const { root, a, b } = pair;
  await a.put(`${root}/e\u0301/e\u0301`, 'decomposed');
  const copy = (from: string, to: string) => pair.run(['copy', '--silent', `A:${root}/${from}`, `B:${root}/${to}`]);
  await b.mkdirs(`${root}/é`);
  for (const [from, to] of [
    ['e\u0301', 'é'],
    ['e\u0301/e\u0301', 'as-file\u0301'],
    ['e\u0301', 'new-e\u0301'],
  ] as const) {
    const { code, stderr } = await copy(from, to);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
  expect(Object.keys(await b.tree(root))).toEqual(
    ['/as-file\u0301', '/new-e\u0301/', '/new-e\u0301/e\u0301', '/é/', '/é/e\u0301/', '/é/e\u0301/e\u0301'].sort(),
  );
});

test('a path that is too long for a datanode in a URL fails by name at once; HttpFS takes it', async () => {
  const pair = await TwoClusters.make(bed, 'unicode-long');
  const { root, a, b } = pair;
  const deep = Array.from({ length: 6 }, () => '漢'.repeat(85)).join('/');
  await a.put(`${root}/tree/beside`, 'x');
  await a.put(`${root}/short`, 'content');
  await a.mkdirs(`${root}/tree/${deep}`);
  await a.call('PUT', 'RENAME', `${root}/short`, { destination: `${root}/tree/${deep}/f` });
  const { code, status } = await pair.run(['copy', '--silent', '--exact', `A:${root}/tree`, `B:${root}/tree`]);
  expect(code).toBe(1);
  expect(status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 1, Retries: 0 });
  const { stdout } = await pair.run(['status', status.Job, '--failures']);
  expect(stdout).toContain('the server cannot take this name: HTTP 400');
  expect(stdout).toContain('copy through HttpFS');
  expect(temporaryNames(await b.tree(root))).toEqual([]);

  const conf = pair.conf({ A: { url: bed.httpFs } });
  const through = await pair.run(['copy', '--silent', '--exact', `A:${root}/tree/${deep}`, `B:${root}/up`], { conf });
  expect({ code: through.code, stderr: through.stderr }).toEqual({ code: 0, stderr: '' });
  expect(String(await b.get(`${root}/up/f`))).toBe('content');
});

test('pages of a listing go on behind every name, of a namenode and of HttpFS, and directories are what they are called', async () => {
  await using paged = await startBed({ clusters: [{ name: 'P', extraHdfs: { 'dfs.ls.limit': '2' }, httpfs: true }] });
  const { namenodeUrl, httpfs } = paged.clusters.P;
  const hdfs = new TestHdfs(namenodeUrl);
  const names = [...twins.flat(), ...others];
  for (const name of names) await hdfs.put(`/e\u0301/${name}`, name);
  for (const url of [namenodeUrl, httpfs?.url ?? '']) {
    await using fs = clientOf([url], { user: 'root' });
    const pages = await allOf(fs.list('/e\u0301', never));
    // HttpFS gives everything at once.
    expect(pages.length > 1).toBe(url === namenodeUrl);
    const found = pages.flat().map(({ name }) => name);
    expect(found).toEqual([...names].sort(namenodeOrder));
    for (const name of found) {
      const rest = (await allOf(fs.list('/e\u0301', never, name))).flat();
      expect(rest.map((status) => status.name)).toEqual(found.slice(found.indexOf(name) + 1));
    }
    await fs.rename(`/e\u0301/${twins[0][1]}`, '/e\u0301/o\u0308', false, never);
    expect(await fs.stat('/e\u0301/ö', never)).toBeUndefined();
    await fs.rename('/e\u0301/o\u0308', `/e\u0301/${twins[0][1]}`, false, never);
    await fs.makeDirectory('/e\u0301/u\u0308', undefined, never);
    expect(await fs.stat('/e\u0301/ü', never)).toBeUndefined();
    expect(await fs.delete('/e\u0301/u\u0308', never)).toBe(true);
  }
});
