import { describe, expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** Quotas of directories, carried over with --attributes quota. */

const bed = inject('bed');
const FLAGS = ['--attributes', 'quota'];
const GIB = 2 ** 30;

interface Usage {
  readonly quota: number;
  readonly spaceQuota: number;
  readonly typeQuota?: Readonly<Record<string, { readonly quota: number }>>;
}

/** `names` has a limit of names, `bytes` of bytes, `ssd` of bytes on SSDs, `plain` and `names/below` none. */
async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `quotas-${name}`);
  const { a, b, root } = pair;
  for (const file of ['plain/file', 'names/below/file', 'bytes/file', 'ssd/file'])
    await a.put(`${root}/tree/${file}`, file);
  await a.call('PUT', 'SETQUOTA', `${root}/tree/names`, { namespacequota: '50' });
  await a.call('PUT', 'SETQUOTA', `${root}/tree/bytes`, { storagespacequota: String(GIB) });
  const onSsd = { storagetype: 'SSD', storagespacequota: String(2 * GIB) };
  await a.call('PUT', 'SETQUOTABYSTORAGETYPE', `${root}/tree/ssd`, onSsd);
  const quotasOf = async (path: string) => {
    const { QuotaUsage: usage } = await b.json<{ QuotaUsage: Usage }>('GETQUOTAUSAGE', `${root}/mirror/${path}`);
    return [usage.quota, usage.spaceQuota, usage.typeQuota?.['SSD']?.quota ?? -1];
  };
  const quotas = async () => {
    const paths = ['', 'plain', 'names', 'names/below', 'bytes', 'ssd'];
    return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await quotasOf(path)] as const)));
  };
  const copy = async (flags: readonly string[], { from = bed.a, to = bed.b, user = 'root', code = 0 } = {}) => {
    await using destination = await FaultProxy.start(to);
    const args = ['copy', '--silent', '--exact', '--force', ...flags, `A:${root}/tree`, `B:${root}/mirror`];
    const conf = pair.conf({ A: { url: from }, B: { url: destination.url, user } });
    const result = await pair.run(args, { conf });
    expect(result.code, result.stderr).toBe(code);
    const set = destination.requests.filter(({ operation }) => operation.startsWith('SETQUOTA'));
    return { ...result, set: set.map(({ path }) => path.slice(`${root}/mirror/`.length)).sort() };
  };
  return { pair, quotas, copy };
}

const [none, all] = [
  [-1, -1, -1],
  {
    '': [-1, -1, -1],
    plain: [-1, -1, -1],
    names: [50, -1, -1],
    'names/below': [-1, -1, -1],
    bytes: [-1, GIB, -1],
    ssd: [-1, -1, 2 * GIB],
  },
];

describe.concurrent('--attributes quota', () => {
  test.each(['namenode', 'HttpFS'] as const)(
    'gives directories the quotas of their source, read from a %s',
    async (by) => {
      const { pair, quotas, copy } = await scene(`from-${by}`);
      const from = by === 'HttpFS' ? bed.httpFs : bed.a;
      const first = await copy(FLAGS, { from });
      expect(first.status).toMatchObject({ 'Files Copied': 4, Warnings: {} });
      expect(first.set).toEqual(['bytes', 'names', 'ssd']);
      expect(await quotas()).toEqual(all);
      const again = await copy(FLAGS, { from });
      expect([again.status.Warnings, again.set]).toEqual([{}, []]);
      const verified = await pair.run(['verify', '--silent', ...FLAGS, `A:${pair.root}/tree`, `B:${pair.root}/mirror`]);
      expect(verified.code, verified.stdout).toBe(0);
    },
  );

  test('is no part of --preserve', async () => {
    const { quotas, copy } = await scene('preserve');
    await copy(['--preserve']);
    expect(Object.values(await quotas())).toEqual(Array(6).fill(none));
  });

  test('brings quotas up to date and leaves what the source does not limit, and verify tells both apart', async () => {
    const { pair, quotas, copy } = await scene('there');
    const { a, b, root } = pair;
    await copy(FLAGS);
    await a.call('PUT', 'SETQUOTA', `${root}/tree/names`, { namespacequota: '60' });
    await b.call('PUT', 'SETQUOTA', `${root}/mirror/names`, { storagespacequota: String(3 * GIB) });
    await b.call('PUT', 'SETQUOTA', `${root}/mirror/plain`, { namespacequota: '7' });
    const verify = ['verify', '--silent', '--json', ...FLAGS, `A:${root}/tree`, `B:${root}/mirror`];
    const drifted = await pair.run(verify);
    expect(drifted.code).toBe(1);
    expect(drifted.stdout).toContain('"quota":["names 60","names 50"]');
    expect(drifted.stdout.match(/"quota":\[/g)).toHaveLength(1);
    const { set, status } = await copy(FLAGS);
    expect([status.Warnings, set]).toEqual([{}, ['names']]);
    expect(await quotas()).toEqual({ ...all, names: [60, 3 * GIB, -1], plain: [7, -1, -1] });
    expect((await pair.run(verify)).code).toBe(0);
  });

  test('sets a quota that is exceeded already, after the files, and says so', async () => {
    const { pair, quotas, copy } = await scene('exceeded');
    await pair.a.call('PUT', 'SETQUOTA', `${pair.root}/tree/names`, { namespacequota: '2' });
    const { status } = await copy(FLAGS);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 4, Warnings: { quota: 1 } });
    const [reason = ''] = Object.keys(status['Warning Reasons']);
    expect(reason).toContain('quota: it holds more than its quota of names');
    expect(await quotas()).toEqual({ ...all, names: [2, -1, -1] });
  });

  test('counts directories whose quota the destination refuses, and asks it once', async () => {
    const { pair, copy } = await scene('refused');
    await pair.b.call('PUT', 'SETPERMISSION', pair.root, { permission: '777' });
    const { status, set } = await copy(FLAGS, { user: 'eva' });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 4, Warnings: { quota: 3 } });
    expect(Object.keys(status['Warning Reasons']).join()).toContain('uperuser');
    expect(set.filter((path) => path !== 'ssd')).toHaveLength(1);
  });

  test('counts them where the destination is HttpFS, which sets none', async () => {
    const { pair, copy } = await scene('httpfs');
    await pair.a.remove(`${pair.root}/mirror`);
    const { status, set } = await copy(FLAGS, { to: bed.httpFs });
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 4, Warnings: { quota: 3 } });
    expect(set.filter((path) => path !== 'ssd')).toHaveLength(1);
  });

  test('reads them of the directories that are there, with --snapshot too', async () => {
    const { pair, quotas, copy } = await scene('snapshot');
    await pair.a.call('PUT', 'ALLOWSNAPSHOT', `${pair.root}/tree`);
    await pair.a.call('PUT', 'SETQUOTA', `${pair.root}/tree`, { namespacequota: '99' });
    const { status } = await copy([...FLAGS, '--snapshot']);
    expect(status).toMatchObject({ Outcome: 'Successful', Warnings: {} });
    expect(await quotas()).toEqual({ ...all, '': [99, -1, -1] });
  });
});
