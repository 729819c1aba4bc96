import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { errorOf, never } from '../../../support/files.ts';
import {
  type Answer,
  clientOf,
  fileStatus,
  redirect,
  remoteException,
  ScriptedServer,
  standby,
} from '../../../support/scripted-server.ts';

/** Waits between tries are random: here they are short. */
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0.01));
afterEach(() => vi.restoreAllMocks());

const options = {
  blockBytes: undefined,
  replication: undefined,
  lengthBytes: 0,
  permission: undefined,
  overwrite: true,
};

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file.
}

it.each<[string, Answer, 'busy' | undefined]>([
  ['too many calls', remoteException('RetriableException', 'Server is too busy.'), 'busy'],
  ['a full queue', remoteException('CallQueueOverflowException', 'the queue is full'), 'busy'],
  ['503 with Retry-After', { status: 503, headers: { 'retry-after': '0' }, text: '' }, 'busy'],
  ['429', { status: 429, text: '' }, 'busy'],
  ['503 of a gateway that has nobody behind it', { status: 503, text: '' }, undefined],
  ['standby', standby, undefined],
  ['safe mode', remoteException('RetriableException', 'SafeModeException: Name node is in safe mode'), undefined],
  ['a plain failure', remoteException('IOException', 'something', 500), undefined],
])('a namenode that answers %s', async (_what, answer, expected) => {
  await using server = await ScriptedServer.start([fileStatus(), answer, fileStatus()]);
  await using fs = clientOf([server.url]);
  await fs.stat('/x', never);
  expect(fs.load.take()).toBeUndefined();
  await fs.stat('/x', never).catch(() => undefined);
  expect(fs.load.take()).toBe(expected);
});

it('a rename, which is tried once, that is refused as busy', async () => {
  await using server = await ScriptedServer.start([remoteException('RetriableException', 'Server is too busy.')]);
  await using fs = clientOf([server.url]);
  await errorOf(fs.rename('/x', '/y', true, never));
  expect(fs.load.take()).toBe('busy');
});

it('a datanode that has no file descriptor left', async () => {
  await using datanode = await ScriptedServer.start([remoteException('IOException', 'Too many open files', 500)]);
  await using namenode = await ScriptedServer.start(() => redirect(`${datanode.url}/webhdfs/v1/x?op=CREATE`));
  await using fs = clientOf([namenode.url]);
  expect(await errorOf(fs.write('/x', nothing(), options, never))).toMatchObject({
    code: 'busy',
    disposition: 'retry',
  });
  expect(fs.load.take()).toBe('busy');
});
