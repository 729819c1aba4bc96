import { describe, expect, it } from 'vitest';
import { errorOf, get, put } from '../../../support/files.ts';
import {
  type Answer,
  clientOf,
  closedPort,
  redirect,
  remoteException,
  ScriptedServer,
  type Seen,
} from '../../../support/scripted-server.ts';

/** Another try goes to another datanode, where the namenode knows one. */

const good: Answer = (request, response) => {
  const { method } = request;
  request
    .resume()
    .on('end', () => response.writeHead(method === 'PUT' ? 201 : 200, { connection: 'close' }).end('hello'));
};
const none = remoteException('IOException', 'Failed to find datanode, suggest to check cluster health.', 403);

/** A namenode of two datanodes, the first of which is gone, and what it tells and says of that. */
async function cluster({ tells = true, refusal }: { tells?: boolean; refusal?: Answer } = {}) {
  const dead = await closedPort();
  const other = await ScriptedServer.start(() => good);
  const port = Number(dead.host.replace(/^.*:/, ''));
  const nodes = { [`127.0.0.1:98${port}`]: { infoAddr: dead.host, xferaddr: `10.0.0.7:98${port}` } };
  const jmx: Answer = tells ? { json: { beans: [{ LiveNodes: JSON.stringify(nodes) }] } } : { status: 403, text: 'no' };
  const namenode = await ScriptedServer.start((seen: Seen) => {
    if (seen.url.startsWith('/jmx')) return jmx;
    if (seen.operation === 'GETSERVERDEFAULTS') return { json: { FsServerDefaults: {} } };
    const isExcluded = seen.query.has('excludedatanodes');
    if (isExcluded && refusal) return refusal;
    const to = isExcluded ? other.url : dead.url;
    return redirect(`${to}/webhdfs/v1${seen.path}?op=${seen.operation}&namenoderpcaddress=nn:1`);
  });
  const fs = clientOf([namenode.url], { retry_timeout: 0 });
  const close = async () => {
    await fs.close();
    await namenode[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  };
  const excluded = (operation: string) =>
    namenode.requests
      .filter((seen) => seen.operation === operation)
      .map(({ query }) => query.get('excludedatanodes') ?? 'none');
  return { fs, dead, namenode, transferAddress: `10.0.0.7:98${port}`, excluded, [Symbol.asyncDispose]: close };
}

describe.each(['OPEN', 'CREATE'])('after a failed try, %s', (operation) => {
  const run = (fs: Parameters<typeof get>[0]) =>
    operation === 'OPEN' ? get(fs, '/x', 5) : put(fs, '/x', 'hello').then(() => Buffer.from('hello'));

  it('leaves the datanode out, by the address that the namenode tells', async () => {
    await using of = await cluster();
    expect(await errorOf(run(of.fs))).toMatchObject({ name: 'TransportError', where: { host: of.dead.host } });
    expect((await run(of.fs)).toString()).toBe('hello');
    expect(of.excluded(operation)).toEqual(['none', of.transferAddress]);
    expect(of.fs.lostConnections.take()).toEqual({
      [`connections to the datanode ${of.dead.host} of prod that died or stalled`]: 1,
    });
  });

  it('leaves it out by its IP address where the namenode tells nothing', async () => {
    await using of = await cluster({ tells: false });
    await errorOf(run(of.fs));
    expect((await run(of.fs)).toString()).toBe('hello');
    expect(of.excluded(operation)).toEqual(['none', '127.0.0.1']);
  });

  it.each([
    ['there is no other', none],
    ['the server knows no such parameter', remoteException('QueryParamException', 'no', 400)],
    ['it takes no such address', remoteException('IllegalArgumentException', 'no', 400)],
    ['a gateway refuses the request', { status: 403, text: 'Forbidden' }],
    ['the server breaks off', (_request, response) => response.destroy()],
  ] satisfies readonly (readonly [string, Answer])[])('takes any datanode where %s', async (_what, refusal) => {
    await using of = await cluster({ refusal });
    await errorOf(run(of.fs));
    expect(await errorOf(run(of.fs))).toMatchObject({ name: 'TransportError', where: { host: of.dead.host } });
    expect(of.excluded(operation)).toEqual(['none', of.transferAddress, 'none']);
  });

  it.each([
    ['denied', remoteException('AccessControlException', 'Permission denied: user=x', 403)],
    ['quota', remoteException('DSQuotaExceededException', 'The DiskSpace quota is exceeded', 403)],
    ['not-found', remoteException('FileNotFoundException', 'File does not exist: /x', 404)],
  ])('asks once for what is refused with %s, whatever datanodes there are', async (code, refusal) => {
    await using of = await cluster({ refusal });
    await errorOf(run(of.fs));
    expect(await errorOf(run(of.fs))).toMatchObject({ code });
    expect(of.excluded(operation)).toEqual(['none', of.transferAddress]);
  });

  it('asks for the address once', async () => {
    await using of = await cluster();
    await errorOf(run(of.fs));
    for (let again = 0; again < 3; again++) await run(of.fs);
    expect(of.namenode.requests.filter(({ url }) => url.startsWith('/jmx'))).toHaveLength(1);
  });
});

it('leaves nothing out of what HttpFS is asked', async () => {
  await using server = await ScriptedServer.start((seen) =>
    seen.operation === 'CREATE' && !seen.query.has('data')
      ? redirect(`http://${seen.headers.host ?? ''}/webhdfs/v1/x?op=CREATE&data=true`)
      : (_request, response) => response.destroy(),
  );
  await using fs = clientOf([server.url], { retry_timeout: 0 });
  for (let times = 0; times < 2; times++) expect(await errorOf(put(fs, '/x', 'hello'))).toBeInstanceOf(Error);
  expect(server.requests.some(({ query }) => query.has('excludedatanodes'))).toBe(false);
  expect(fs.lostConnections.take()).toEqual({});
});
