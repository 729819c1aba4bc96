import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bed, startBed } from '../bed/bed.ts';
import { seen, setXattr } from '../support/attributes.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { temporaryNames, writeConf } from '../support/two-clusters.ts';

/** What a namenode never allows, whatever is tried: by default a copy runs into few of these, so each is made small. */
const small = {
  'dfs.namenode.fs-limits.max-directory-items': '5',
  'dfs.namenode.fs-limits.max-component-length': '60',
  'dfs.namenode.fs-limits.max-blocks-per-file': '2',
  'dfs.namenode.fs-limits.min-block-size': '1024',
  'dfs.namenode.fs-limits.max-xattrs-per-inode': '2',
  'dfs.namenode.fs-limits.max-xattr-size': '64',
};

let bed: Bed<'A' | 'L' | 'M'>;
let a: TestHdfs;
let l: TestHdfs;
let m: TestHdfs;
let directories = 0;

beforeAll(async () => {
  bed = await startBed({
    clusters: [
      { name: 'A' },
      { name: 'L', extraHdfs: small, httpfs: true },
      { name: 'M', datanodes: 2, replication: 2, extraHdfs: { 'dfs.namenode.replication.min': '2' } },
    ],
  });
  const { A, L, M } = bed.clusters;
  [a, l, m] = [new TestHdfs(A.namenodeUrl), new TestHdfs(L.namenodeUrl), new TestHdfs(M.namenodeUrl)];
}, 240_000);
afterAll(() => bed.stop());

/** A test's own, on all clusters. L takes few at a time. */
async function newDirectory(): Promise<string> {
  const path = `/t${(directories += 1)}`;
  for (const hdfs of [a, l, m]) await hdfs.mkdirs(path);
  return path;
}
afterEach(() => l.remove(`/t${directories}`));

/** Copies through fault proxies, so that requests can be counted. */
async function copy(
  args: string,
  through: { A?: FaultProxy; L?: FaultProxy; M?: FaultProxy } = {},
): Promise<CliResult> {
  const { A, L, M } = bed.clusters;
  const urls = {
    A: through.A?.url ?? A.namenodeUrl,
    L: through.L?.url ?? L.namenodeUrl,
    M: through.M?.url ?? M.namenodeUrl,
    H: L.httpfs?.url ?? '',
  };
  const clusters = Object.entries(urls).map(([name, url]) => ({
    name,
    user: 'root',
    nameservices: [{ urls: [url], mounts: ['/'] }],
  }));
  return runCli(['copy', '--silent', ...args.split(' ')], { conf: writeConf(JSON.stringify({ clusters })) });
}

/** Runs a copy of which some files must fail, each at its first try. */
async function expectFailures(
  args: string,
  {
    copied,
    failed,
    says,
    through = {},
  }: { copied: number; failed: number; says: string[]; through?: { A?: FaultProxy } },
): Promise<void> {
  const result = await copy(`--json ${args}`, through);
  expect(result.code, result.stderr).toBe(1);
  const lines = result.stdout.split('\n').filter((line) => line.includes('"outcome":"failed"'));
  expect(lines.length, result.stdout).toBe(failed);
  for (const words of says) expect(lines[0]).toContain(words);
  expect(result.stdout).toMatch(new RegExp(`"Files Copied":\\s*${copied}\\b`));
  expect(result.stdout).toMatch(/"Retries":\s*0\b/);
}

describe.each(['L', 'H'])('limits of %s', (to) => {
  it('a full directory costs one try a file, and says which limit', async () => {
    const root = await newDirectory();
    for (let i = 0; i < 9; i++) await a.put(`${root}/in/f${i}`, 'x'.repeat(5000));
    await using from = await FaultProxy.start(bed.clusters.A.namenodeUrl);
    await expectFailures(`--exact --threads 1 A:${root}/in ${to}:${root}/in`, {
      copied: 5,
      failed: 4,
      says: ['dfs.namenode.fs-limits.max-directory-items'],
      through: { A: from },
    });
    expect(from.count('OPEN')).toBe(9);
    expect(temporaryNames(await l.tree(root))).toEqual([]);
  });

  it('a name that is too long, and a file of too many blocks', async () => {
    const root = await newDirectory();
    await a.put(`${root}/in/${'n'.repeat(61)}`, 'x');
    await a.put(`${root}/in/blocks`, Buffer.alloc(3000), { blocksize: '1024' });
    await expectFailures(`-p --exact A:${root}/in ${to}:${root}/in`, { copied: 0, failed: 2, says: ['fs-limits'] });
    expect(await l.tree(`${root}/in`)).toEqual({});
  });

  it('blocks that are too small are left to the cluster, with a warning', async () => {
    const root = await newDirectory();
    for (let i = 0; i < 3; i++) await a.put(`${root}/in/f${i}`, Buffer.alloc(30_000, 7), { blocksize: '512' });
    await using from = await FaultProxy.start(bed.clusters.A.namenodeUrl);
    const { status } = await copy(`-p --exact A:${root}/in ${to}:${root}/in`, { A: from });
    expect(status).toMatchObject({ 'Files Copied': 3, Warnings: { blocksize: 3 } });
    if (to === 'L') expect([status.Retries, from.count('OPEN')]).toEqual([0, 3]);
    else expect(from.count('OPEN')).toBeLessThanOrEqual(6);
    const strict = await copy(`--strict-preserve --exact A:${root}/in ${to}:${root}/in2`);
    expect(strict.status).toMatchObject({ 'Files Failed': 3, Retries: 0 });
  });

  it('an extended attribute that is refused leaves the others', async () => {
    const root = await newDirectory();
    await a.put(`${root}/in/many`, 'x');
    await a.put(`${root}/in/large`, 'x');
    for (const name of ['a', 'b', 'c', 'd']) await setXattr(a, `${root}/in/many`, `user.${name}`, '0x31');
    await setXattr(a, `${root}/in/large`, 'user.large', `0x${'31'.repeat(100)}`);
    await setXattr(a, `${root}/in/large`, 'user.small', '0x31');
    const { status } = await copy(`-p --exact A:${root}/in ${to}:${root}/in`);
    expect(status).toMatchObject({ 'Files Copied': 2, Retries: 0, Warnings: { xattr: 2 } });
    expect(Object.keys((await seen(l, `${root}/in/many`)).xattrs)).toHaveLength(2);
    expect((await seen(l, `${root}/in/large`)).xattrs).toEqual({ 'user.small': '0x31' });
  });

  it('a path of more than 8000 characters fails its files and not the job', async () => {
    const root = await newDirectory();
    const deep = `/${'d'.repeat(50)}`.repeat(50);
    const deeper = `/${'e'.repeat(50)}`.repeat(108);
    await a.mkdirs(`${root}/in${deep}`);
    await a.put(`${root}/in${deep}/f`, 'x');
    await l.mkdirs(`${root}${deeper}`);
    const result = await copy(`--exact A:${root}/in ${to}:${root}${deeper}/in`);
    expect(result.code, result.stderr).toBe(1);
    expect(result.status).toMatchObject({ 'Files Copied': 0, Retries: 0, Phase: 'done' });
  });
});

describe('quotas', () => {
  it('a used up name quota says that --direct replaces in place, and --direct does', async () => {
    const root = await newDirectory();
    await a.put(`${root}/in/f`, 'new');
    await l.put(`${root}/in/f`, 'older');
    await l.call('PUT', 'SETQUOTA', `${root}/in`, { namespacequota: '2' });
    await expectFailures(`--force --exact A:${root}/in L:${root}/in`, { copied: 0, failed: 1, says: ['--direct'] });
    const { code } = await copy(`--force --direct --exact A:${root}/in L:${root}/in`);
    expect(code).toBe(0);
    expect((await l.get(`${root}/in/f`)).toString()).toBe('new');
  });

  it('a used up space quota fails at the first try', async () => {
    const root = await newDirectory();
    await a.put(`${root}/in/f`, 'x'.repeat(100));
    await l.mkdirs(`${root}/in`);
    await l.call('PUT', 'SETQUOTA', `${root}/in`, { storagespacequota: '1000' });
    await expectFailures(`--exact A:${root}/in L:${root}/in`, { copied: 0, failed: 1, says: ['space quota'] });
  });
});

describe('a minimum of replicas', () => {
  it('is kept where the source has fewer, with a warning and each byte once', async () => {
    const root = await newDirectory();
    for (let i = 0; i < 20; i++) await a.put(`${root}/in/f${i}`, Buffer.alloc(i % 2 ? 100 : 400_000, 1));
    await using from = await FaultProxy.start(bed.clusters.A.namenodeUrl);
    const { status } = await copy(`-p --exact A:${root}/in M:${root}/in`, { A: from });
    expect(status).toMatchObject({ 'Files Copied': 20, Retries: 0, Warnings: { replication: 20 } });
    expect(from.count('OPEN')).toBe(20);
    expect(await m.status(`${root}/in/f1`)).toMatchObject({ replication: 2 });
  });
});
