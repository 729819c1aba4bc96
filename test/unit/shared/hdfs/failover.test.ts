import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../../shared/errors.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import { errorOf, never } from '../../../support/files.ts';
import {
  type Answer,
  clientOf,
  closedPort,
  fileStatus,
  redirect,
  remoteException,
  ScriptedServer,
  standby,
} from '../../../support/scripted-server.ts';
import { swallower } from '../../../support/swallower.ts';

/** Waits between tries are random: here they are short. */
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0.01));
afterEach(() => vi.restoreAllMocks());

const elsewhere = { operation: 'OPEN', path: '/from', host: 'elsewhere:1' };
const busy = remoteException('RetriableException', 'NameNode still not started');
const safeMode = remoteException('SafeModeException', 'Cannot create directory /x. Name node is in safe mode.');
const html: Answer = { status: 503, text: '<html><head><title>503 Service Unavailable</title></head></html>' };
const missing = remoteException('FileNotFoundException', 'File does not exist: /x', 404);

describe('a nameservice with two namenodes', () => {
  it('turns to the other one when this one is in standby, and stays there', async () => {
    await using first = await ScriptedServer.start([standby]);
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url]);
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect([first.requests.length, second.requests.length]).toEqual([1, 2]);
  });

  it.each<[string, Answer]>([
    ['is starting', busy],
    ['ends the connection', (_request, response) => response.destroy()],
    ['answers with an HTML page', { status: 200, text: '  <html><title>Log in</title></html>' }],
  ])('turns to the other one when this one %s', async (_what, answer) => {
    await using first = await ScriptedServer.start([answer]);
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url]);
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it.each([
    ['a broken connection', new TransportError('reset', elsewhere, {})],
    ['a server that is busy', new StorageError('busy', 'RetriableException', '', elsewhere)],
    ['a token that is not taken', new StorageError('token', 'InvalidToken', '', elsewhere)],
  ])('stays with this one when a request is stopped for the sake of %s at another cluster', async (_what, reason) => {
    const stop = new AbortController();
    await using first = await ScriptedServer.start(({ path }) =>
      path === '/x' ? () => stop.abort(reason) : fileStatus(),
    );
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url]);
    expect(await errorOf(fs.stat('/x', stop.signal))).toBe(reason);
    expect(fs.load.take()).toBeUndefined();
    expect(await fs.stat('/y', never)).toMatchObject({ kind: 'file' });
    expect([first.requests.length, second.requests.length]).toEqual([2, 0]);
  });

  it('turns to the other one when nobody listens here', async () => {
    const nobody = await closedPort();
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([nobody.url, second.url]);
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
  });

  it.each([
    ['ObserverRetryOnActiveException', 'Retry on active'],
    ['NoNamenodesAvailableException', 'No namenodes available under nameservice ns0'],
    ['RouterSafeModeException', 'Router router1:8888 is in safe mode and cannot handle READ requests'],
    ['ConnectionNullException', 'Cannot get a connection to nn1:8020'],
    ['RemoteException', 'org.apache.hadoop.hdfs.server.federation.router.NoNamenodesAvailableException: none'],
  ])('turns to the other one when this one says %s', async (exception, message) => {
    await using first = await ScriptedServer.start([remoteException(exception, message)]);
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url]);
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it('turns to the other one when this one swallows packets, in the time for a connection', async () => {
    await using first = await swallower();
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url], { timeout: 1, retry_timeout: 0 });
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect(second.requests.length).toBe(2);
  });

  it('asks each of three before any budget ends the trying', async () => {
    const [first, second] = [await closedPort(), await closedPort()];
    await using third = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url, third.url], { retry_timeout: 0 });
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
  });

  it('comes back to the first one after a failover back', async () => {
    await using first = await ScriptedServer.start([standby, fileStatus()]);
    await using second = await ScriptedServer.start([fileStatus(), standby]);
    await using fs = clientOf([first.url, second.url]);
    for (let i = 0; i < 2; i++) expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect([first.requests.length, second.requests.length]).toEqual([2, 2]);
  });

  it('turns once, not there and back, when many requests find the standby at once', async () => {
    await using first = await ScriptedServer.start([standby]);
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url]);
    await Promise.all(Array.from({ length: 20 }, () => fs.stat('/x', never)));
    expect(second.requests.length).toBe(20);
    expect(first.requests.length).toBeLessThanOrEqual(20);
    const before = first.requests.length;
    await fs.stat('/x', never);
    expect(first.requests.length).toBe(before);
  });

  it('turns to the other one when the datanode finds out that this one is in standby', async () => {
    await using datanode = await ScriptedServer.start([standby]);
    const toDatanode: Answer = { status: 307, headers: { location: `${datanode.url}/webhdfs/v1/x?op=CREATE` } };
    await using first = await ScriptedServer.start([toDatanode]);
    await using second = await ScriptedServer.start([fileStatus()]);
    await using fs = clientOf([first.url, second.url]);
    const options = { lengthBytes: 0, blockBytes: undefined, replication: undefined, permission: undefined };
    const error = await errorOf(fs.write('/x', nothing(), { ...options, overwrite: false }, never));
    expect(error).toMatchObject({ code: 'standby', disposition: 'retry' });
    await fs.stat('/x', never);
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it('is unavailable, and says why of each, when neither answers for the retry time-out', async () => {
    const [first, second] = [await closedPort(), await closedPort()];
    await using fs = clientOf([first.url, second.url], { retry_timeout: 0.5 });
    const error = (await errorOf(fs.stat('/data/x', never))) as Error;
    expect(error).toMatchObject({ name: 'UnavailableError', disposition: 'fail-job' });
    expect(error.message).toContain('GETFILESTATUS /data/x');
    for (const { host } of [first, second]) expect(error.message).toContain(host);
    expect(error.message.match(/connection refused/g)).toHaveLength(2);
  });

  it('is unavailable when both stay in standby', async () => {
    await using first = await ScriptedServer.start([standby]);
    await using second = await ScriptedServer.start([standby]);
    await using fs = clientOf([first.url, second.url], { retry_timeout: 2 });
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    expect(error).toMatchObject({ name: 'UnavailableError', remedy: expect.stringContaining('active') as string });
    expect(first.requests.length).toBeGreaterThan(1);
    expect(second.requests.length).toBeGreaterThan(1);
  });
});

describe('a single namenode', () => {
  it('is asked again until it has started', async () => {
    await using server = await ScriptedServer.start([busy, busy, busy, fileStatus()]);
    await using fs = clientOf([server.url]);
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect(server.requests.length).toBe(4);
  });

  it('is not asked again soon while it is in safe mode', async () => {
    await using server = await ScriptedServer.start([safeMode]);
    await using fs = clientOf([server.url], { retry_timeout: 2 });
    const error = await errorOf(fs.makeDirectory('/x', undefined, never));
    expect(error).toMatchObject({
      name: 'UnavailableError',
      remedy: 'check hdfs dfsadmin -safemode get, and resume when it is off',
    });
    expect(server.requests.length).toBe(1);
  });

  it.each<[string, Answer]>([
    ['an HTML error page', html],
    ['an HTML page with status 200', { text: '<html><title>503 Service Unavailable</title></html>' }],
    ['a bad gateway without a body', { status: 502, text: '' }],
  ])('is unavailable after three times %s', async (_what, answer) => {
    await using server = await ScriptedServer.start([answer]);
    await using fs = clientOf([server.url]);
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    expect(error).toMatchObject({ name: 'UnavailableError', disposition: 'fail-job' });
    expect(error.message).toMatch(/HTTP \d+/);
    expect(error.message).not.toContain('<');
    expect(server.requests.length).toBe(3);
  });

  it.each([
    ['IOException', 'No active nodes contain this block', 'no-block'],
    ['SomeNewException', 'what', 'other'],
  ])('that keeps refusing one path with %s fails that file, not the job', async (exception, message, code) => {
    await using server = await ScriptedServer.start([remoteException(exception, message)]);
    await using fs = clientOf([server.url]);
    const error = await errorOf(fs.posix.setPermission('/corrupt', '600', never));
    expect(error).toMatchObject({ name: 'StorageError', code, where: { path: '/corrupt' } });
    expect((error as { disposition: string }).disposition).not.toBe('fail-job');
    expect(server.requests.length).toBe(3);
  });

  it.each<[string, Answer]>([
    ['503, with an HTML page', html],
    ['502, without a body', { status: 502 }],
    ['504, in JSON of its own', { status: 504, json: { message: 'Endpoint request timed out' } }],
    ['429', { status: 429, headers: { 'retry-after': '0' }, text: 'Too Many Requests' }],
    ['404, with an HTML page', { status: 404, text: '<html><title>default backend - 404</title></html>' }],
    ['200, with an HTML page', { text: '<html><title>We are back in a minute</title></html>' }],
  ])('whose balancer says %s in the middle of a job is asked until it is back', async (_what, answer) => {
    const away = Array.from({ length: 8 }, () => answer);
    await using server = await ScriptedServer.start([missing, ...away, fileStatus()]);
    await using fs = clientOf([server.url]);
    expect(await fs.stat('/x', never)).toBeUndefined();
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect(server.requests.length).toBe(10);
  });

  it('whose balancer stays away is unavailable after the retry time-out, and the remedy is not about its URL', async () => {
    await using server = await ScriptedServer.start([fileStatus(), html]);
    await using fs = clientOf([server.url], { retry_timeout: 0.6 });
    await fs.stat('/x', never);
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    expect(error).toMatchObject({ name: 'UnavailableError', remedy: expect.stringContaining('balancer') as string });
    expect(error.message).toContain('HTTP 503: 503 Service Unavailable');
    expect(server.requests.length).toBeGreaterThan(4);
  });

  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 2000).toUTCString()],
  ])('that says in %s how long to leave it alone is left alone for so long', async (_what, retryAfter) => {
    const away: Answer = (request, response) => {
      request.resume();
      response.writeHead(429, { 'retry-after': retryAfter() }).end();
    };
    await using server = await ScriptedServer.start([fileStatus(), away, fileStatus()]);
    await using fs = clientOf([server.url]);
    await fs.stat('/x', never);
    const startedAtMs = performance.now();
    expect(await fs.stat('/x', never)).toMatchObject({ kind: 'file' });
    expect(performance.now() - startedAtMs).toBeGreaterThan(900);
    expect(server.requests.length).toBe(3);
  });

  it('that wants to be left alone for longer than the retry time-out is asked once more at its end', async () => {
    const away: Answer = { status: 503, headers: { 'retry-after': '3600' } };
    await using server = await ScriptedServer.start([fileStatus(), away]);
    await using fs = clientOf([server.url], { retry_timeout: 0.5 });
    await fs.stat('/x', never);
    expect(await errorOf(fs.stat('/x', never))).toMatchObject({ name: 'UnavailableError' });
    expect(server.requests.length).toBe(3);
  });

  it.each([400, 414, 431])('that cannot take a name (HTTP %i) fails that file at once, not the job', async (status) => {
    await using server = await ScriptedServer.start([fileStatus(), { status, text: '<html><title>No</title></html>' }]);
    await using fs = clientOf([server.url]);
    await fs.stat('/x', never);
    const error = await errorOf(fs.posix.setPermission('/long', '600', never));
    expect(error).toMatchObject({ code: 'invalid', disposition: 'fail-unit', where: { path: '/long' } });
    expect((error as Error).message).toContain('the server cannot take this name');
    expect(server.requests.length).toBe(2);
  });

  it('that redirects to https is named with its right URL, and nothing of the redirect else is told', async () => {
    const to = 'https://127.0.0.1:9871/webhdfs/v1/x?op=GETFILESTATUS&delegation=SECRET';
    await using server = await ScriptedServer.start([redirect(to)]);
    await using fs = clientOf([server.url]);
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    expect(error).toMatchObject({ disposition: 'fail-job' });
    expect(error.message).toContain('the server redirects to https://127.0.0.1:9871 (use that URL');
    expect(error.message).not.toContain('SECRET');
    expect(server.requests.length).toBe(1);
  });

  it('that redirects to a log-in page is told so', async () => {
    await using server = await ScriptedServer.start([
      { status: 302, headers: { location: 'https://sso.example.com/?t=S' } },
    ]);
    await using fs = clientOf([server.url]);
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    expect(error.message).toMatch(/the server redirects to https:\/\/sso\.example\.com \(check the URL/);
  });

  it.each<[string, Answer, Record<string, unknown>]>([
    ['a permission', remoteException('AccessControlException', 'Permission denied: user=me'), { code: 'denied' }],
    ['a quota', remoteException('NSQuotaExceededException', 'The NameSpace quota is exceeded'), { code: 'quota' }],
    [
      'a dead token',
      remoteException('InvalidToken', "token can't be found in cache"),
      { code: 'token', disposition: 'fail-job' },
    ],
    [
      'a missing ticket',
      { status: 401, text: '<html><title>Authentication required</title>' },
      { code: 'unauthenticated' },
    ],
  ])('is asked once when it refuses for %s', async (_what, answer, expected) => {
    await using server = await ScriptedServer.start([answer]);
    await using fs = clientOf([server.url]);
    expect(await errorOf(fs.makeDirectory('/x', undefined, never))).toMatchObject({
      name: 'StorageError',
      ...expected,
    });
    expect(server.requests.length).toBe(1);
  });

  it('is asked once whether there is a file', async () => {
    await using server = await ScriptedServer.start([missing]);
    await using fs = clientOf([server.url]);
    expect(await fs.stat('/x', never)).toBeUndefined();
    expect(server.requests.length).toBe(1);
  });

  it('is asked once to rename, whatever comes back', async () => {
    await using server = await ScriptedServer.start([busy]);
    await using fs = clientOf([server.url]);
    expect(await errorOf(fs.rename('/x', '/y', true, never))).toMatchObject({ code: 'busy', disposition: 'retry' });
    expect(server.requests.length).toBe(1);
  });

  it('times out when its answer does not come', async () => {
    await using server = await ScriptedServer.start([() => undefined]);
    await using fs = clientOf([server.url], { timeout: 0.2, retry_timeout: 0 });
    const error = (await errorOf(fs.stat('/x', never))) as Error;
    expect(error.message).toContain('no answer within 0.2 s');
    expect(error).toMatchObject({ name: 'UnavailableError' });
  });

  it('is asked no more once the signal aborts', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    await using server = await ScriptedServer.start(() => {
      setImmediate(() => stop.abort(reason));
      return busy;
    });
    await using fs = clientOf([server.url]);
    vi.mocked(Math.random).mockReturnValue(0.99);
    expect(await errorOf(fs.stat('/x', stop.signal))).toBe(reason);
    expect(server.requests.length).toBe(1);
  });
});

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty body.
}
