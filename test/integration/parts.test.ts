import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, inject, it } from 'vitest';
import { newHome, runCli, startCli } from '../support/cli.ts';
import { FaultProxy, type FaultProxyOptions, type FaultProxyRequest } from '../support/fault-proxy.ts';
import { varied } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const MIB = 1024 * 1024;
const PART = 4 * MIB;
const LENGTH = 5 * PART + 77;
const inParts = ['--chunk-size', String(PART)];

const isAdding = ({ operation, to }: FaultProxyRequest) => operation === 'APPEND' && to === 'datanode';

async function between(name: string, react: NonNullable<FaultProxyOptions['react']>) {
  const pair = await TwoClusters.make(bed, `parts-${name}`);
  const destination = await FaultProxy.start(bed.b, { datanodes: true, react });
  const source = await FaultProxy.start(bed.a, { datanodes: true });
  await pair.a.put(`${pair.root}/in/long`, varied(name, LENGTH));
  const options = { conf: pair.conf({ A: { url: source.url }, B: { url: destination.url } }), home: newHome() };
  const copy = ['copy', '--silent', `A:${pair.root}/in`, `B:${pair.root}/out`, ...inParts];
  const run = (...args: string[]) => runCli([...copy, ...args], options);
  return {
    ...{ pair, destination, source, options, copy, run },
    job: async () => (JSON.parse((await runCli(['jobs', '--json'], options)).stdout) as { Job: string }).Job,
    opened: () => source.requests.filter(({ operation, to }) => operation === 'OPEN' && to === 'datanode').length,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
    },
  };
}

const pass = () => undefined;

/** As `between`, of a copy whose process is killed while its fourth part is added. @param react  besides */
async function cutOff(
  name: string,
  flags: readonly string[] = [],
  react: NonNullable<FaultProxyOptions['react']> = pass,
) {
  let kill: () => void = pass;
  let added = 0;
  const ends = await between(name, (request) => {
    if (isAdding(request) && ++added === 4) kill();
    return react(request);
  });
  const { child, ended } = startCli([...ends.copy, ...flags], ends.options);
  kill = () => child.kill('SIGKILL');
  await ended;
  kill = pass;
  const resume = async () => runCli(['copy', '--silent', '--resume', await ends.job()], ends.options);
  return { ...ends, resume };
}

it.each([
  { level: 'checksum', reads: 0 },
  { level: 'read-back', reads: 6 },
  { level: 'length', reads: 0 },
  { level: 'none', reads: 0 },
] as const)('a long file goes in parts, and reaches --verify $level', async ({ level, reads }) => {
  await using ends = await between(`verify-${level}`, pass);
  const { pair, destination } = ends;
  const { code, stderr, status } = await ends.run('--verify', level);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Retries: 0, Verified: { [level]: 1 } });
  expect(destination.requests.filter(isAdding)).toHaveLength(6);
  const readBack = destination.requests.filter(({ operation, to }) => operation === 'OPEN' && to === 'datanode');
  expect(readBack).toHaveLength(reads);
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});

it('a part whose bytes were changed on their way is written again, and no other', async () => {
  let added = 0;
  await using ends = await between('flipped', (request) => (isAdding(request) && ++added === 3 ? 'flip' : undefined));
  const { pair } = ends;
  const { code, status } = await ends.run();
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1, Verified: { checksum: 1 } });
  expect(ends.opened()).toBe(7);
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
});

it('a connection that breaks before or after a part costs that part alone', async () => {
  let added = 0;
  await using ends = await between('broken', (request) => {
    if (!isAdding(request)) return undefined;
    added += 1;
    if (added === 2) return 'cut-before';
    return added === 5 ? 'cut-after' : undefined;
  });
  const { pair } = ends;
  const { code, status } = await ends.run();
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Retries: 2, Verified: { checksum: 1 } });
  expect(ends.opened()).toBeLessThanOrEqual(8);
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
});

it('where a server lets nobody add to files, a long file goes as one stream', async () => {
  const body = JSON.stringify({
    RemoteException: {
      exception: 'UnsupportedOperationException',
      message: 'Append is not enabled on this NameNode. Use the dfs.support.append configuration option to enable it.',
    },
  });
  await using ends = await between('no-append', ({ operation }) =>
    operation === 'APPEND' ? { answer: { status: 400, body } } : undefined,
  );
  const { pair } = ends;
  const { code, status } = await ends.run();
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Verified: { checksum: 1 } });
  expect(ends.opened()).toBe(1);
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});

it.each(['of another time', 'of the same length and time'])(
  'a file whose source is another one at a resume, %s, begins anew',
  async (which) => {
    const isAlike = which !== 'of another time';
    // By its length alone nobody would find that its parts are of two files.
    await using ends = await cutOff(`changed-${isAlike}`, isAlike ? ['--verify', 'length'] : []);
    const { pair } = ends;
    const path = `${pair.root}/in/long`;
    const { modificationTime } = await pair.a.status(path);
    await pair.a.put(path, varied('another', LENGTH));
    if (isAlike) await pair.a.call('PUT', 'SETTIMES', path, { modificationtime: String(modificationTime) });
    const { code, status } = await ends.resume();
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH });
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  },
);

it('a source that changes while its parts are copied is copied as it is by then', async () => {
  let change: Promise<void> | undefined;
  let added = 0;
  await using ends = await between('changing', (request) => {
    if (isAdding(request) && ++added === 3) change ??= pair.a.append(`${pair.root}/in/long`, 'more');
    return undefined;
  });
  const { pair } = ends;
  const { code, status } = await ends.run();
  await change;
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Copied': 1 });
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});

it('a temporary file that somebody else has put in its place, or cut, is not gone on with', async () => {
  for (const harm of ['replaced', 'cut'] as const) {
    await using ends = await cutOff(harm);
    const { pair } = ends;
    const [left = ''] = temporaryNames(await pair.b.tree(pair.root));
    const path = `${pair.root}${left}`;
    if (harm === 'cut') await pair.b.call('POST', 'TRUNCATE', path, { newlength: String(PART) });
    else await pair.b.put(path, varied('other', 4 * PART));
    const { code, status } = await ends.resume();
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 1, Verified: { checksum: 1 } });
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  }
});

/** What a datanode answers to a few bytes. It sends an interim answer, for which not every client is ready. */
async function statusOf(location: string): Promise<number | undefined> {
  const upload = request(location, { method: 'POST' });
  upload.end('late');
  const [answer] = (await once(upload, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

it('what comes late of a copier that was given up for dead adds nothing', async () => {
  let added = 0;
  let late: Promise<number | undefined> | undefined;
  let location = '';
  await using ends = await cutOff('late', [], async (request) => {
    if (isAdding(request) && ++added > 5 && location !== '') await (late ??= statusOf(location));
    return undefined;
  });
  const { pair } = ends;
  const [left = ''] = temporaryNames(await pair.b.tree(pair.root));
  // Its first step was answered while it was the file's only copier.
  location = (await pair.b.call('POST', 'APPEND', `${pair.root}${left}`)).location ?? '';
  const { code, status } = await ends.resume();
  expect(code).toBe(0);
  expect(await late).toBe(404);
  expect(status).toMatchObject({ 'Files Copied': 1, 'Size Copied': LENGTH, Retries: 0 });
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});

it('what takes the name meanwhile stays with --existing skip, and no part is left', async () => {
  let taken: Promise<void> | undefined;
  await using ends = await between('skip', (request) => {
    if (isAdding(request)) taken ??= pair.b.put(`${pair.root}/out`, 'theirs');
    return undefined;
  });
  const { pair, options } = ends;
  const args = ['copy', '--silent', '--existing', 'skip', `A:${pair.root}/in/long`, `B:${pair.root}/out`, ...inParts];
  const { code, status } = await runCli(args, options);
  await taken;
  expect(code).toBe(0);
  expect(status).toMatchObject({ 'Files Skipped': 1, Skipped: { exists: 1 } });
  expect((await pair.b.get(`${pair.root}/out`)).toString()).toBe('theirs');
  expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
});

it('a file that its owner may only read is written in parts with its mode, by a user without superuser rights', async () => {
  const pair = await TwoClusters.make(bed, 'parts-read-only');
  await pair.a.put(`${pair.root}/in/long`, varied('read-only', LENGTH));
  await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/in/long`, { permission: '444' });
  await pair.b.call('PUT', 'SETPERMISSION', pair.root, { permission: '777' });
  const conf = pair.conf({ B: { user: 'ann' } });
  const args = [
    'copy',
    '--silent',
    '--attributes',
    'permission',
    `A:${pair.root}/in`,
    `B:${pair.root}/out`,
    ...inParts,
  ];
  const { code, stderr, status } = await runCli(args, { conf });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 0 });
  const [file] = await pair.b.list(`${pair.root}/out`);
  expect(file).toMatchObject({ permission: '444', owner: 'ann', length: LENGTH });
});

it('a dry run tells which files go in parts, and why others begin anew', async () => {
  await using ends = await between('dry', pass);
  const parts = await ends.run('--dry-run');
  expect(parts.stdout).toContain('in parts of about 4.0 MiB');
  const direct = await ends.run('--dry-run', '--direct');
  expect(direct.stdout).toContain('from its beginning when it is cut off: --direct writes to the final name');
  const short = await ends.run('--dry-run', '--chunk-size', String(8 * MIB));
  expect(short.stdout).not.toContain('in parts of');
});
