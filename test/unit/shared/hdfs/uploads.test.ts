import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { Connector } from '../../../../shared/hdfs/connector.ts';
import { type Upload, Uploads } from '../../../../shared/hdfs/uploads.ts';
import { errorOf, never, pieces } from '../../../support/files.ts';
import { RawServer, type Serve } from '../../../support/raw-server.ts';

const CREATED = 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n';
const EXISTS = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nexists';
const where = { operation: 'CREATE', path: '/x' };

/** Takes every upload of 5 bytes, on a connection that it keeps. @param answer  to the nth request of a connection, from 0 */
const keep =
  (answer: (nth: number) => string | undefined): Serve =>
  async (served) => {
    for (let nth = 0; ; nth++) {
      await served.body(5);
      served.forget();
      const text = answer(nth);
      if (text === undefined) return void served.socket.destroy();
      served.socket.write(text);
    }
  };

async function uploadsTo(serve: Serve) {
  const server = await RawServer.start(serve);
  const connector = new Connector({ tls: { rejectUnauthorized: true }, connectMs: 60_000 });
  const uploads = new Uploads(connector, { stallMs: 60_000, answerMs: () => 60_000 });
  const put = (text = 'hello', changes: Partial<Upload> = {}) =>
    uploads.send(
      {
        method: 'PUT',
        url: `${server.url}/webhdfs/v1/x?op=CREATE&data=true`,
        body: pieces(Buffer.from(text)),
        lengthBytes: text.length,
        headers: {},
        isKept: true,
        isPatient: false,
        ...changes,
      },
      where,
      never,
    );
  const dispose = async () => {
    await uploads.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, uploads, put, [Symbol.asyncDispose]: dispose };
}

describe('uploads to a server that keeps connections', () => {
  it('share one, one after the other', async () => {
    await using to = await uploadsTo(keep(() => CREATED));
    for (let i = 0; i < 5; i++) expect(await to.put()).toMatchObject({ status: 201 });
    expect(to.server.connections).toHaveLength(1);
  });

  it('share one also after a refusal of a whole body', async () => {
    await using to = await uploadsTo(keep((nth) => (nth === 0 ? EXISTS : CREATED)));
    expect(await to.put()).toMatchObject({ status: 403, text: 'exists' });
    expect(await to.put()).toMatchObject({ status: 201 });
    expect(to.server.connections).toHaveLength(1);
  });

  it('have one each while they are on their way', async () => {
    await using to = await uploadsTo(keep(() => CREATED));
    await Promise.all([to.put(), to.put(), to.put()]);
    await Promise.all([to.put(), to.put(), to.put()]);
    expect(to.server.connections).toHaveLength(3);
  });

  it.each([
    ['says that it closes', CREATED.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
    ['states no length', 'HTTP/1.1 201 Created\r\nTransfer-Encoding: identity\r\n\r\n'],
    ['sends more than was asked for', `${CREATED}x`],
  ])('share none where its answer %s', async (what, answer) => {
    await using to = await uploadsTo(async (served) => {
      await served.body(5);
      served.socket.write(answer);
      if (what === 'states no length') served.socket.end();
    });
    for (let i = 0; i < 2; i++) expect(await to.put()).toMatchObject({ status: 201 });
    expect(to.server.connections).toHaveLength(2);
  });

  it('do not use one that the server has ended, or said something on', async () => {
    await using to = await uploadsTo(keep(() => CREATED));
    await to.put();
    to.server.connections[0]?.socket.end();
    await once(to.server.connections[0]?.socket ?? process, 'close');
    await to.put();
    expect(to.server.connections).toHaveLength(2);
    const [, second] = to.server.connections;
    second?.socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await once(second?.socket ?? process, 'end');
    await to.put();
    expect(to.server.connections).toHaveLength(3);
  });

  it('are not sent again when the server ends the connection at that moment: their file may have been made', async () => {
    await using to = await uploadsTo(keep((nth) => (nth === 0 ? CREATED : undefined)));
    await to.put();
    expect(await errorOf(to.put())).toMatchObject({
      name: 'TransportError',
      disposition: 'retry',
      mayHaveWorked: true,
    });
    expect(await to.put()).toMatchObject({ status: 201 });
    expect(to.server.connections).toHaveLength(2);
  });

  it.each([
    ['in the middle', 6],
    ['before its source had come to its end', 5],
  ])('do not use one whose body was refused %s', async (_when, lengthBytes) => {
    await using to = await uploadsTo(keep((nth) => (nth === 0 ? EXISTS : CREATED)));
    async function* stuck() {
      yield Buffer.from('hello');
      await new Promise(() => undefined);
    }
    expect(await to.put('hello', { body: stuck(), lengthBytes })).toMatchObject({ status: 403 });
    await to.put();
    expect(to.server.connections).toHaveLength(2);
  });

  it('leave no connection behind when the client is closed', async () => {
    await using to = await uploadsTo(keep(() => CREATED));
    await to.put();
    await to.uploads.close();
    await vi.waitFor(() => expect(to.server.connections[0]?.socket.readableEnded).toBe(true), 60_000);
  });
});

it('an upload is not sent to a path that no request line can hold', async () => {
  await using to = await uploadsTo(keep(() => CREATED));
  const url = `${to.server.url}/a b?op=CREATE`;
  expect(await errorOf(to.put('hello', { url }))).toMatchObject({ name: 'TransportError' });
  expect(to.server.connections).toHaveLength(0);
});

it('an upload to a server that keeps no connections says so', async () => {
  await using to = await uploadsTo(async (served) => {
    await served.body(5);
    const answer = served.received.includes('\r\nconnection: close\r\n') ? CREATED : EXISTS;
    served.socket.write(answer);
  });
  for (let i = 0; i < 2; i++) expect(await to.put('hello', { isKept: false })).toMatchObject({ status: 201 });
  expect(to.server.connections).toHaveLength(2);
});
