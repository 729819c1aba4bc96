import { describe, expect, it } from 'vitest';
import type { WebHdfs } from '../../../../shared/hdfs/webhdfs.ts';
import { allOf, errorOf, get, never, put } from '../../../support/files.ts';
import { oddNames } from '../../../support/odd-tree.ts';
import {
  type Answer,
  clientOf,
  fileStatus,
  redirect,
  remoteException,
  ScriptedServer,
  type Seen,
} from '../../../support/scripted-server.ts';

const checksum: Answer = { json: { FileChecksum: { algorithm: 'COMPOSITE-CRC32C', bytes: 'ab4873f4', length: 4 } } };
const listing = (names: readonly string[], remainingEntries = 0): Answer => ({
  json: {
    DirectoryListing: {
      partialListing: {
        FileStatuses: { FileStatus: names.map((pathSuffix, i) => ({ pathSuffix, type: 'FILE', fileId: i })) },
      },
      remainingEntries,
    },
  },
});
/** As from what is no HDFS. */
const objects = (names: readonly string[], remainingEntries = 0): Answer => ({
  json: {
    DirectoryListing: {
      partialListing: { FileStatuses: { FileStatus: names.map((pathSuffix) => ({ pathSuffix, type: 'FILE' })) } },
      remainingEntries,
    },
  },
});
const defaults: Answer = { json: { FsServerDefaults: { blockSize: 4096, bytesPerChecksum: 512, checksumType: 1 } } };
const unknown = remoteException('IllegalArgumentException', 'Invalid value for webhdfs parameter "op"', 400);

/** A whole cluster in one server: what redirects and what is redirected to. */
async function cluster(changes: Record<string, unknown> = {}) {
  const answers: Record<string, Answer> = {
    GETFILESTATUS: fileStatus(),
    LISTSTATUS_BATCH: listing([]),
    DELETE: { json: { boolean: true } },
    MKDIRS: { json: { boolean: true } },
    GETFILECHECKSUM: checksum,
    GETFILEBLOCKLOCATIONS: {
      json: {
        BlockLocations: {
          BlockLocation: [
            { offset: 512, length: 88 },
            { offset: 0, length: 512 },
          ],
        },
      },
    },
    GETACLSTATUS: { json: { AclStatus: { entries: [], permission: '644' } } },
    GETXATTRS: { json: { XAttrs: [] } },
    GETSERVERDEFAULTS: defaults,
  };
  const server = await ScriptedServer.start((seen) => {
    if (seen.query.has('at')) return seen.operation === 'CREATE' ? { status: 201 } : { text: 'hello' };
    if (seen.operation === 'OPEN' || seen.operation === 'CREATE') {
      return redirect(`${server.url}/webhdfs/v1/x?op=${seen.operation}&at=datanode`);
    }
    return answers[seen.operation] ?? { text: '' };
  });
  const fs = clientOf([server.url], changes);
  const close = async () => {
    await fs.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, fs, [Symbol.asyncDispose]: close };
}

const everyCall: readonly (readonly [string, (fs: WebHdfs, path: string) => Promise<unknown>])[] = [
  ['GETFILESTATUS', (fs, path) => fs.stat(path, never)],
  ['LISTSTATUS_BATCH', (fs, path) => allOf(fs.list(path, never))],
  ['OPEN', (fs, path) => get(fs, path, 5)],
  ['CREATE', (fs, path) => put(fs, path, 'content', { permission: '600', blockBytes: 1024, replication: 2 })],
  ['RENAME', (fs, path) => fs.rename(path, '/elsewhere', true, never)],
  ['MKDIRS', (fs, path) => fs.makeDirectory(path, '700', never)],
  ['DELETE', (fs, path) => fs.delete(path, never)],
  ['GETFILECHECKSUM', (fs, path) => fs.checksums.stored(path, never)],
  ['GETFILEBLOCKLOCATIONS', (fs, path) => fs.checksums.blockLengths(path, 600, never)],
  ['CHECKACCESS', (fs, path) => fs.requireWritable(path, never)],
  ['SETPERMISSION', (fs, path) => fs.posix.setPermission(path, '640', never)],
  ['SETOWNER', (fs, path) => fs.hadoop.setOwner(path, 'alice', 'staff', never)],
  ['SETTIMES', (fs, path) => fs.posix.setTimes(path, 5, 6, never)],
  ['GETACLSTATUS', (fs, path) => fs.hadoop.acl(path, never)],
  ['SETACL', (fs, path) => fs.hadoop.setAcl(path, 'user::rwx', never)],
  ['GETXATTRS', (fs, path) => fs.hadoop.xattrs(path, never)],
  ['SETXATTR', (fs, path) => fs.hadoop.setXattr(path, 'user.a', '0x01', never)],
];

async function requestsOf(work: (fs: WebHdfs, path: string) => Promise<unknown>, changes = {}, path = '/x') {
  await using both = await cluster(changes);
  await work(both.fs, path);
  return both.server.requests;
}

describe('every request', () => {
  it.each(everyCall)('of %s says what HttpFS and servers with CSRF protection want', async (operation, work) => {
    const requests = await requestsOf(work);
    expect(requests[0]?.operation).toBe(operation);
    for (const { method, headers, query } of requests) {
      expect(headers['content-type']).toBe('application/octet-stream');
      expect(headers['x-xsrf-header'] !== undefined).toBe(method !== 'GET');
      expect(headers['user-agent'] ?? '').not.toMatch(/^(?:Mozilla|Opera)/);
      expect(query.has('noredirect')).toBe(false);
    }
  });

  it.each(everyCall)('of %s encodes every name so that it arrives', async (_operation, work) => {
    const path = `/${oddNames.join('/')}`;
    const [first] = await requestsOf(work, {}, path);
    expect(first?.path).toBe(path);
    expect(first?.url).not.toMatch(/[ "<>\\^`{|}\n]/);
  });

  it('keeps = as it is in a path, which some servers do not decode', async () => {
    const [seen] = await requestsOf((fs) => fs.stat('/dt=2024-01-01/a=b', never));
    expect(seen?.url).toMatch(/^\/webhdfs\/v1\/dt=2024-01-01\/a=b\?/);
  });

  it.each(oddNames)('encodes the name %j in a query', async (name) => {
    const [rename] = await requestsOf((fs) => fs.rename('/x', `/to/${name}`, false, never));
    const [list] = await requestsOf((fs) => allOf(fs.list('/x', never, name)));
    // A slash keeps HttpFS from cutting white space off the end.
    expect(rename?.query.get('destination')?.replace(/\/$/, '')).toBe(`/to/${name}`);
    expect(list?.query.get(/[%{}]/.test(name) ? 'startafter' : 'startAfter')).toBe(name);
    expect(rename?.url).not.toContain('+');
  });

  it.each<[string, string, Record<string, string>]>([
    ['RENAME', 'PUT', { destination: '/elsewhere', renameoptions: 'OVERWRITE' }],
    ['CREATE', 'PUT', { overwrite: 'false', permission: '600', blocksize: '1024', replication: '2' }],
    ['OPEN', 'GET', { offset: '0' }],
    ['MKDIRS', 'PUT', { permission: '700' }],
    ['DELETE', 'DELETE', { recursive: 'false' }],
    ['SETTIMES', 'PUT', { modificationtime: '5', accesstime: '6' }],
    ['SETXATTR', 'PUT', { 'xattr.name': 'user.a', 'xattr.value': '0x01', flag: 'CREATE,REPLACE' }],
    ['CHECKACCESS', 'GET', { fsaction: '-wx' }],
    ['GETXATTRS', 'GET', { encoding: 'hex' }],
  ])('of %s is a %s with its parameters', async (operation, method, parameters) => {
    const work = everyCall.find(([name]) => name === operation)?.[1] ?? (() => Promise.resolve());
    const [seen] = await requestsOf(work);
    expect(seen?.method).toBe(method);
    expect(Object.fromEntries(seen?.query ?? [])).toEqual({ op: operation, 'user.name': 'me', ...parameters });
  });
});

describe('authentication', () => {
  const namesIn = (seen: Seen | undefined) => [...(seen?.query.keys() ?? [])].sort();

  it.each([
    ['the token alone', undefined, ['delegation', 'op']],
    ['the token and the user that is configured beside it', 'alice', ['delegation', 'op', 'user.name']],
  ])('sends %s', async (_what, user, names) => {
    const token = { auth_mechanism: 'TOKEN', token: 'HgAF+/=', user };
    const [seen] = await requestsOf((fs) => fs.stat('/x', never), token);
    expect(seen?.query.get('delegation')).toBe('HgAF+/=');
    expect(namesIn(seen)).toEqual(names);
  });

  it('sends the user and whom to act for', async () => {
    const [seen] = await requestsOf((fs) => fs.stat('/x', never), { doas: 'bob' });
    expect(namesIn(seen)).toEqual(['doas', 'op', 'user.name']);
    expect(seen?.query.get('doas')).toBe('bob');
  });

  it('gives a datanode only what its redirect carries', async () => {
    const requests = await requestsOf((fs) => get(fs, '/x', 5));
    expect(requests[1]?.url).toBe('/webhdfs/v1/x?op=OPEN&at=datanode');
  });

  it('sends user and password of BASIC in a header, and never in the URL', async () => {
    const basic = { auth_mechanism: 'BASIC', user: 'alice', password: 'päss:word' };
    const [seen] = await requestsOf((fs) => fs.stat('/x', never), basic);
    expect(seen?.headers.authorization).toBe(`Basic ${Buffer.from('alice:päss:word').toString('base64')}`);
    expect(namesIn(seen)).toEqual(['op']);
  });

  it('says of a cluster that wants to know who asks which mechanisms there are', async () => {
    await using server = await ScriptedServer.start([{ status: 401, text: '<html><title>Error 401</title></html>' }]);
    await using fs = clientOf([server.url]);
    expect(await errorOf(fs.stat('/x', never))).toMatchObject({
      message: expect.stringMatching(
        /cluster prod does not accept the credentials.*auth_mechanism to TKN_GSSAPI/,
      ) as string,
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe('mounts', () => {
  it('go to the nameservice whose mount is the longest prefix of the path', async () => {
    await using root = await ScriptedServer.start([fileStatus()]);
    await using data = await ScriptedServer.start([fileStatus()]);
    await using deep = await ScriptedServer.start([fileStatus()]);
    const nameservices = [
      { urls: [data.url], mounts: ['/data', '/logs/'] },
      { urls: [root.url], mounts: ['/'] },
      { urls: [deep.url], mounts: ['/data/deep'] },
    ];
    await using fs = clientOf([], { nameservices });
    for (const path of [
      '/data',
      '/data/x',
      '/data/deep',
      '/data/deep/x',
      '/data/deeper',
      '/database',
      '/logs/x',
      '/',
    ]) {
      await fs.stat(path, never);
    }
    const seen = [root, data, deep].map((server) => server.requests.map(({ path }) => path));
    expect(seen).toEqual([
      ['/database', '/'],
      ['/data', '/data/x', '/data/deeper', '/logs/x'],
      ['/data/deep', '/data/deep/x'],
    ]);
  });

  it('that do not hold the path are an error before anything is asked', async () => {
    await using server = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([], { nameservices: [{ urls: [server.url], mounts: ['/data'] }] });
    const error = await errorOf(fs.stat('/database', never));
    expect(error).toMatchObject({ name: 'SpecError', disposition: 'fail-job' });
    expect((error as Error).message).toContain('no nameservice has a mount for /database');
    expect(server.requests).toEqual([]);
  });

  it('of one place share an address under any alias, however many of them it names', () => {
    const places = (urls: string[]) => clientOf(urls).addressesOf('/x');
    expect(places(['http://nn1:9870', 'http://nn2:9870'])).toContain(places(['http://nn2:9870/'])[0]);
    expect(places(['http://nn1:9870'])).not.toContain(places(['http://nn3:9870'])[0]);
    expect(places(['http://NN1.example.com.:80/Gateway'])).toEqual(places(['http://nn1.example.com/Gateway']));
    expect(places(['http://nn1./a'])).not.toEqual(places(['http://nn1/b']));
  });
});

describe('servers that differ', () => {
  it('may lack LISTSTATUS_BATCH: everything is listed at once, in order, and it is not asked for again', async () => {
    const statuses = ['b', 'é', 'a'].map((pathSuffix) => ({ pathSuffix, type: 'FILE' }));
    await using server = await ScriptedServer.start(({ operation }) =>
      operation === 'LISTSTATUS' ? { json: { FileStatuses: { FileStatus: statuses } } } : unknown,
    );
    await using fs = clientOf([server.url]);
    const names = async (after?: string) => (await allOf(fs.list('/x', never, after))).flat().map(({ name }) => name);
    expect(await names()).toEqual(['é', 'a', 'b']);
    expect(await names('a')).toEqual(['b']);
    expect(server.operations).toEqual(['LISTSTATUS_BATCH', 'LISTSTATUS', 'LISTSTATUS']);
  });

  it.each<[string, readonly Answer[], readonly string[]]>([
    ['in one page', [listing(['a', 'b', 'é'])], ['LISTSTATUS_BATCH', 'LISTSTATUS', 'LISTSTATUS']],
    ['in the first of many', [listing(['a', 'é'], 1)], ['LISTSTATUS_BATCH', 'LISTSTATUS', 'LISTSTATUS']],
    [
      'behind pages of ASCII, as an object store',
      [objects(['a', 'b'], 1), objects(['é'])],
      ['LISTSTATUS_BATCH', 'LISTSTATUS_BATCH', 'LISTSTATUS', 'LISTSTATUS'],
    ],
  ])('may list in another order, %s: everything is listed at once from then on, and sorted', async (...row) => {
    const [, pages, operations] = row;
    const statuses = ['a', 'b', 'é', 'b'].map((pathSuffix) => ({ pathSuffix, type: 'FILE' }));
    let asked = 0;
    await using server = await ScriptedServer.start(({ operation }) =>
      operation === 'LISTSTATUS' ? { json: { FileStatuses: { FileStatus: statuses } } } : (pages[asked++] ?? unknown),
    );
    await using fs = clientOf([server.url]);
    const names = async (after?: string) => (await allOf(fs.list('/x', never, after))).flat().map(({ name }) => name);
    expect(await names()).toEqual(['é', 'a', 'b']);
    expect(await names('a')).toEqual(['b']);
    expect(server.operations).toEqual(operations);
  });

  it.each<[string, readonly Answer[], RegExp]>([
    ['whose later page goes back', [listing(['a', 'b'], 1), listing(['ab'])], /in another order.*another address/],
    ['whose page is empty although more remain', [listing(['a'], 1), listing([], 1)], /a page without names/],
    ['whose first page is empty although more remain', [listing([], 3)], /a page without names/],
    ['that gives the same page again', [listing(['a', 'b'], 2), listing(['a', 'b'], 2)], /a page without names/],
  ])('%s fails the directory by name, and loses nothing in silence', async (_what, pages, message) => {
    await using server = await ScriptedServer.start(pages);
    await using fs = clientOf([server.url]);
    const error = (await errorOf(allOf(fs.list('/x', never)))) as Error;
    expect(error).toMatchObject({ name: 'ListingError', disposition: 'fail-unit', where: { path: '/x' } });
    expect(error.message).toMatch(message);
  });

  it('may repeat names, as routers do: each comes once', async () => {
    await using server = await ScriptedServer.start([listing(['a', 'a', 'b'], 1), listing(['b', 'c'])]);
    await using fs = clientOf([server.url]);
    const names = (await allOf(fs.list('/x', never))).flat().map(({ name }) => name);
    expect(names).toEqual(['a', 'b', 'c']);
  });

  it('give further pages after the last name of the one before', async () => {
    await using server = await ScriptedServer.start([listing(['a', 'b'], 1), listing(['c'])]);
    await using fs = clientOf([server.url]);
    const pages = await allOf(fs.list('/x', never));
    expect(pages.map((page) => page.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
    expect(server.requests.map(({ query }) => query.get('startAfter'))).toEqual([null, 'b']);
  });

  it('may keep no access times: the modification time is set all the same', async () => {
    const refusal = remoteException('IOException', 'Access time for hdfs is not configured.');
    await using server = await ScriptedServer.start(({ query }) => (query.get('accesstime') === '-1' ? {} : refusal));
    await using fs = clientOf([server.url]);
    await fs.posix.setTimes('/x', 5, 6, never);
    expect(server.requests.at(-1)?.query.get('modificationtime')).toBe('5');
  });

  it.each<[string, Answer, unknown]>([
    ['say what new files look like', defaults, { crc: 'CRC32', bytesPerCrc: 512, blockBytes: 4096 }],
    ['do not say', unknown, { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 128 * 1024 * 1024 }],
  ])('%s, and are asked once', async (_what, answer, expected) => {
    await using server = await ScriptedServer.start([answer]);
    await using fs = clientOf([server.url]);
    expect((await fs.checksums.expectedLayouts('/x', undefined, never))[0]).toEqual(expected);
    expect((await fs.checksums.expectedLayouts('/y', undefined, never))[0]).toEqual(expected);
    expect(server.operations).toEqual(['GETSERVERDEFAULTS']);
  });

  it('may not tell block locations', async () => {
    await using server = await ScriptedServer.start([unknown]);
    await using fs = clientOf([server.url]);
    expect(await fs.checksums.blockLengths('/x', 10, never)).toBeUndefined();
  });

  it('tell blocks in any order', async () => {
    await using both = await cluster();
    expect(await both.fs.checksums.blockLengths('/x', 600, never)).toEqual([512, 88]);
    // Of a snapshot they may tell them as they are now.
    expect(await both.fs.checksums.blockLengths('/x', 550, never)).toEqual([512, 38]);
    expect(await both.fs.checksums.blockLengths('/x', 512, never)).toEqual([512]);
  });

  it('list a file with the name in its status or without', async () => {
    await using server = await ScriptedServer.start([fileStatus({ pathSuffix: '' }), fileStatus({ pathSuffix: 'x' })]);
    await using fs = clientOf([server.url]);
    for (let i = 0; i < 2; i++) expect(await fs.stat('/a/x', never)).toMatchObject({ name: 'x' });
  });

  it('send data at once, as HttpFS does', async () => {
    await using server = await ScriptedServer.start([{ text: 'hello' }]);
    await using fs = clientOf([server.url]);
    expect(String(await get(fs, '/x', 5))).toBe('hello');
  });

  it('that do not redirect CREATE give an error', async () => {
    await using server = await ScriptedServer.start([{ status: 201, text: '' }]);
    await using fs = clientOf([server.url], { retry_timeout: 0 });
    const work = everyCall.find(([name]) => name === 'CREATE')?.[1] ?? (() => Promise.resolve());
    expect(await errorOf(work(fs, '/x'))).toMatchObject({ name: 'StorageError', code: 'not-webhdfs' });
  });

  it.each(['{}', 'null', '{"boolean": tr'])('that answer RENAME with %s have proved nothing', async (text) => {
    await using server = await ScriptedServer.start([{ text }]);
    await using fs = clientOf([server.url]);
    const error = await errorOf(fs.rename('/a', '/b', true, never));
    expect(error).toMatchObject({ name: 'StorageError', disposition: 'retry', mayHaveWorked: true });
  });

  it('that make no directory are not believed to', async () => {
    await using server = await ScriptedServer.start([{ json: { boolean: false } }]);
    await using fs = clientOf([server.url]);
    const error = await errorOf(fs.makeDirectory('/x', undefined, never));
    expect(error).toMatchObject({ name: 'StorageError', disposition: 'fail-unit', where: { path: '/x' } });
  });

  it.each([
    ['GETFILESTATUS', (fs: WebHdfs) => fs.stat('/x', never), { FileStatus: null }],
    ['LISTSTATUS_BATCH', (fs: WebHdfs) => allPages(fs), {}],
    ['LISTSTATUS_BATCH', (fs: WebHdfs) => allPages(fs), { DirectoryListing: null }],
  ])('that answer %s with other JSON are told by operation and path', async (operation, work, json) => {
    await using server = await ScriptedServer.start([{ json }]);
    await using fs = clientOf([server.url], { retry_timeout: 0 });
    expect(await errorOf(work(fs))).toMatchObject({ name: 'StorageError', where: { operation, path: '/x' } });
  });
});

async function allPages(fs: WebHdfs): Promise<unknown[]> {
  const pages: unknown[] = [];
  for await (const page of fs.list('/x', never)) pages.push(page);
  return pages;
}

describe('how much there is in a directory', () => {
  const counted = { fileCount: 100, directoryCount: 11 };
  const held = { snapshotFileCount: 60, snapshotDirectoryCount: 4 };
  it.each([
    ['is without what is deleted and snapshots hold', '/d', { ...counted, ...held }, { files: 40, directories: 6 }],
    ['is not known where the server does not tell that apart', '/d', counted, undefined],
    ['is all that a snapshot has', '/d/.snapshot/s', counted, { files: 100, directories: 10 }],
  ])('%s', async (_, path, ContentSummary, expected) => {
    await using server = await ScriptedServer.start([{ json: { ContentSummary } }]);
    await using fs = clientOf([server.url]);
    expect(await fs.countEntries(path, never)).toEqual(expected);
  });
});

describe('a file whose directory is known to stand', () => {
  const gone = remoteException('FileNotFoundException', 'gone', 404);
  const write = async (kind: Answer) => {
    await using server = await ScriptedServer.start(({ operation }) => (operation === 'WHICHSERVER' ? kind : gone));
    await using fs = clientOf([server.url]);
    const layout = { blockBytes: undefined, replication: undefined };
    const options = { ...layout, lengthBytes: 0, permission: undefined, overwrite: false, parentStands: true };
    expect(await errorOf(fs.write('/d/f', body(), options, never))).toMatchObject({ code: 'not-found' });
    return server.requests.filter(({ operation }) => operation !== 'WHICHSERVER');
  };
  async function* body(): AsyncGenerator<Uint8Array> {
    // Empty.
  }

  it('is not made with another one by a namenode', async () => {
    const [first] = await write(unknown);
    expect([first?.operation, first?.query.get('createparent')]).toEqual(['CREATE', 'false']);
  });

  it('is not made where HttpFS, which would make another one, has none', async () => {
    expect((await write({ json: {} })).map(({ operation }) => operation)).toEqual(['GETFILESTATUS']);
  });
});
