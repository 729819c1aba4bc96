import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { allOf, errorOf, get, never, put } from '../../../support/files.ts';
import {
  clientOf,
  fileStatus,
  redirect,
  remoteException,
  ScriptedServer,
  type Seen,
} from '../../../support/scripted-server.ts';
import { allBytes } from '../../../../shared/storage/storage.ts';

const basic = { auth_mechanism: 'BASIC', user: 'me', password: 'secret' };
const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
const checksum = {
  algorithm: 'MD5-of-0MD5-of-512CRC32C',
  bytes: '0000020000000000000000002ebac5fafc444475c9720587791d7412',
  length: 28,
};

/** A gateway that redirects data back to itself, and answers when asked there. */
function gateway(base: string) {
  return ScriptedServer.start((seen: Seen) => {
    const [path = '', query = ''] = seen.url.split('?');
    if (!path.startsWith(`${base}/webhdfs/data/v1/`)) {
      return redirect(`http://${seen.headers.host ?? ''}${base}/webhdfs/data/v1/webhdfs/v1/x?_=${seen.operation}`);
    }
    if (query === '_=CREATE') return { status: 201 };
    return query === '_=OPEN' ? { text: 'hello' } : { json: { FileChecksum: checksum } };
  });
}

describe.each(['', '/gateway/default'])('a server under %j that redirects to itself', (base) => {
  it('gets its credentials again, for data, uploads and checksums, and is no datanode', async () => {
    await using server = await gateway(base);
    await using fs = clientOf([`${server.url}${base}`], basic);
    const { near, cancel } = await fs.read('/x', allBytes(5), never);
    cancel();
    expect(near).toBeUndefined();
    expect((await get(fs, '/x', 5)).toString()).toBe('hello');
    expect(await put(fs, '/x', 'hello')).toEqual({ near: undefined });
    expect(await fs.checksums.stored('/x', never)).toMatchObject({ algorithm: checksum.algorithm });
    expect(server.requests).toHaveLength(8);
    for (const { headers } of server.requests) expect(headers.authorization).toBe(authorization);
  });

  it('gets a large body at once: it sends no interim answer to wait for', async () => {
    // A client that waited for one would wait for ever.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await using server = await ScriptedServer.start((seen) => {
      if (seen.operation === 'CREATE' && !seen.query.has('data')) {
        return redirect(`http://${seen.headers.host ?? ''}${base}/webhdfs/v1/x?op=CREATE&data=true`);
      }
      return (request, response) => request.resume().on('end', () => response.writeHead(201).end());
    });
    await using fs = clientOf([`${server.url}${base}`], basic);
    expect(await put(fs, '/x', Buffer.alloc(1024 * 1024))).toEqual({ near: undefined });
  });

  it.each([
    ['seconds', { 'retry-after': '7' }],
    ['a date', { 'retry-after': 'Fri, 01 Jan 2027 00:00:07 GMT', date: 'Fri, 01 Jan 2027 00:00:00 GMT' }],
  ])('says by %s for how long it wants to be left alone, also as the answer to a body', async (_what, headers) => {
    await using server = await ScriptedServer.start((seen) =>
      seen.query.has('data')
        ? { status: 503, text: 'too much', headers }
        : redirect(`http://${seen.headers.host ?? ''}${base}/webhdfs/v1/x?op=CREATE&data=true`),
    );
    await using fs = clientOf([`${server.url}${base}`], basic);
    expect(await errorOf(put(fs, '/x', 'hello'))).toMatchObject({ exception: 'HTTP 503', retryAfterMs: 7000 });
    expect(fs.load.take()).toBe('busy');
  });

  it('is told as itself when it refuses, not as a datanode', async () => {
    await using server = await ScriptedServer.start((seen) =>
      seen.query.has('data')
        ? remoteException('AccessControlException', 'Permission denied: user=me', 500)
        : redirect(`http://${seen.headers.host ?? ''}${base}/webhdfs/v1/x?op=CREATE&data=true`),
    );
    await using fs = clientOf([`${server.url}${base}`], basic);
    const error = await errorOf(put(fs, '/x', 'hello'));
    expect(error).toMatchObject({ code: 'denied', where: { host: server.host } });
    expect((error as Error).message).not.toContain('datanode');
  });
});

it.each([
  ['another server', (own: string, other: string): [string, string] => [own, `${other}/webhdfs/v1/x?op=OPEN`]],
  [
    'another path of a gateway',
    (own: string): [string, string] => [`${own}/gateway/default`, `${own}/gateway/other/webhdfs/v1/x?op=OPEN`],
  ],
  [
    'a path that only begins so',
    (own: string): [string, string] => [`${own}/gateway/default`, `${own}/gateway/default/webhdfsx/v1/x?op=OPEN`],
  ],
] as const)('%s to which a redirect leads gets no credentials', async (_what, addresses) => {
  await using other = await ScriptedServer.start([{ text: 'hello' }]);
  let location = '';
  let first = true;
  await using server = await ScriptedServer.start(() => {
    if (!first) return { text: 'hello' };
    first = false;
    return redirect(location);
  });
  const [base, target] = addresses(server.url, other.url);
  location = target;
  await using fs = clientOf([base], basic);
  expect((await get(fs, '/x', 5)).toString()).toBe('hello');
  const [asked, ...followed] = [...server.requests, ...other.requests];
  expect(asked?.headers.authorization).toBe(authorization);
  expect(followed).toHaveLength(1);
  expect(followed[0]?.headers.authorization).toBeUndefined();
});

describe('data that comes without a redirect', () => {
  it('is passed on as it comes, not gathered first', async () => {
    let more: () => void = () => undefined;
    await using server = await ScriptedServer.start([
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).write('hello');
        more = () => void response.end('world');
      },
    ]);
    await using fs = clientOf([server.url]);
    const { body } = await fs.read('/x', allBytes(10), never);
    const pieces = body[Symbol.asyncIterator]();
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('hello');
    more();
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('world');
  });

  it('is no file when it is an HTML page', async () => {
    await using server = await ScriptedServer.start([
      { headers: { 'content-type': 'text/html' }, text: '<html><title>Log in</title></html>' },
    ]);
    await using fs = clientOf([server.url], { retry_timeout: 0 });
    expect(await errorOf(fs.read('/x', allBytes(10), never))).toMatchObject({
      message: expect.stringContaining('Log in') as string,
    });
  });
});

describe('a rename that a server answers with a boolean, as HttpFS does', () => {
  const renamed = async (boolean: boolean, there: Record<string, unknown>[], to = '/d/to') => {
    const stats = [...there];
    await using server = await ScriptedServer.start((seen) => {
      if (seen.operation === 'RENAME') return { json: { boolean } };
      const status = stats.shift();
      return status === undefined ? remoteException('FileNotFoundException', 'no', 404) : fileStatus(status);
    });
    await using fs = clientOf([server.url]);
    const error = await fs.rename('/d/from', to, false, never).catch((reason: unknown) => reason);
    return { error, renames: server.requests.filter(({ operation }) => operation === 'RENAME') };
  };

  it('true: is done', async () => {
    expect((await renamed(true, [{}])).error).toBeUndefined();
  });

  it('false: exists when something stands there, and otherwise not-found', async () => {
    expect((await renamed(false, [{}])).error).toMatchObject({ code: 'exists' });
    expect((await renamed(false, [])).error).toMatchObject({ code: 'not-found' });
  });

  it('true, and nothing stands there: is no success', async () => {
    expect((await renamed(true, [])).error).toMatchObject({ code: 'not-found' });
  });

  it('true, and a directory stands there, into which the file went: takes it back', async () => {
    const { error, renames } = await renamed(true, [{ type: 'DIRECTORY' }]);
    expect(error).toMatchObject({ code: 'exists' });
    expect(renames.map(({ path, query }) => [path, query.get('destination')])).toEqual([
      ['/d/from', '/d/to'],
      ['/d/to/from', '/d/from'],
    ]);
  });

  it.each([' ', '\n', '\t'])('to a name that ends in %j, which HttpFS would cut off, ends in a slash', async (end) => {
    const { renames } = await renamed(true, [{}], `/d/to${end}`);
    expect(renames[0]?.query.get('destination')).toBe(`/d/to${end}/`);
  });
});

it('lists only what comes after, from a server that gives everything', async () => {
  const entry = (pathSuffix: string) => ({ pathSuffix, type: 'FILE', length: 0, permission: '644' });
  const listing = { partialListing: { FileStatuses: { FileStatus: ['a', 'b', 'c'].map(entry) } }, remainingEntries: 0 };
  await using server = await ScriptedServer.start([{ json: { DirectoryListing: listing } }]);
  await using fs = clientOf([server.url]);
  const names = (await allOf(fs.list('/x', never, 'b'))).flat().map(({ name }) => name);
  expect(names).toEqual(['c']);
});

it('asks many times at once, and a server is asked once for what it does not know', async () => {
  await using server = await ScriptedServer.start((seen) =>
    seen.operation === 'CHECKACCESS'
      ? remoteException(
          'QueryParamException',
          'java.lang.IllegalArgumentException: No enum constant X.CHECKACCESS',
          500,
        )
      : {},
  );
  await using fs = clientOf([server.url]);
  await Promise.all(Array.from({ length: 8 }, () => fs.requireWritable('/x', never)));
  await fs.requireWritable('/y', never);
  expect(server.operations).toEqual(['CHECKACCESS']);
});
