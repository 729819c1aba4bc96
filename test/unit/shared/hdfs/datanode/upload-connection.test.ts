import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { UploadConnection } from '../../../../../shared/hdfs/datanode/upload-connection.ts';
import { errorOf, never, pieces } from '../../../../support/files.ts';
import { content } from '../../../../support/odd-tree.ts';
import { RawServer, type Serve } from '../../../../support/raw-server.ts';

const MIB = 1024 * 1024;
/** Longer than any test may take, where nothing is to be waited for. */
const LONG_MS = 300_000;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const CREATED = 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const REASON = '{"RemoteException":{"exception":"DSQuotaExceededException","message":"The quota is exceeded"}}';
const REFUSED = `HTTP/1.1 403 Forbidden\r\nContent-Length: ${REASON.length}\r\nConnection: close\r\n\r\n${REASON}`;
const head = Buffer.from('PUT /x HTTP/1.1\r\nhost: x\r\n\r\n');
const LENGTH = 16 * MIB + 5;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A server that serves so, and a connection to it. */
async function connectionTo(serve: Serve, idleMs = LONG_MS) {
  const server = await RawServer.start(serve);
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const connection = new UploadConnection(socket, { stallMs: idleMs, answerMs: () => idleMs });
  const dispose = async () => {
    await connection.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, connection, [Symbol.asyncDispose]: dispose };
}

/** Pieces that are all of the same memory, which is filled again for each. */
async function* again(bytes: Buffer, pieceBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(pieceBytes);
  for await (const piece of pieces(bytes, pieceBytes)) {
    memory.set(piece);
    yield memory.subarray(0, piece.length);
  }
}

const upload = (body: AsyncIterable<Uint8Array>, lengthBytes: number, isPatient = false) => ({
  head,
  body,
  lengthBytes,
  isPatient,
});

describe('an upload that is taken', () => {
  it.each<[string, Serve]>([
    [
      'with an interim answer before the body',
      async (to) => {
        to.socket.write(CONTINUE);
        await to.body(LENGTH);
        to.socket.end(CREATED);
      },
    ],
    [
      'with one in the middle of it, and another',
      async (to) => {
        await to.body(MIB);
        to.socket.write(CONTINUE);
        await to.body(2 * MIB);
        to.socket.write(CONTINUE);
        await to.body(LENGTH);
        to.socket.end(CREATED);
      },
    ],
    [
      'with one after it, together with the answer',
      async (to) => {
        await to.body(LENGTH);
        to.socket.end(CONTINUE + CREATED);
      },
    ],
    [
      'without one',
      async (to) => {
        await to.body(LENGTH);
        to.socket.end(CREATED);
      },
    ],
    [
      'by a server that reads slowly',
      async (to) => {
        to.socket.pause();
        await sleep(100);
        to.socket.resume();
        await to.body(LENGTH);
        to.socket.end(CREATED);
      },
    ],
    [
      'with an answer that lasts until the connection ends',
      async (to) => {
        await to.body(LENGTH);
        to.socket.end('HTTP/1.1 201 Created\r\n\r\nok');
      },
    ],
    [
      'with an answer in chunks, byte by byte',
      async (to) => {
        await to.body(LENGTH);
        for (const byte of `${CONTINUE}HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`) {
          to.socket.write(byte);
          await sleep(1);
        }
      },
    ],
  ])('%s has arrived as it was', async (_what, serve) => {
    await using to = await connectionTo(serve);
    const bytes = content('upload', LENGTH);
    expect(await to.connection.send(upload(again(bytes), LENGTH), never)).toMatchObject({ status: 201 });
    const [served] = to.server.connections;
    expect(served?.received.equals(Buffer.concat([head, bytes]))).toBe(true);
  });

  it.each([0, 1, 1000])('has %i bytes, and its head goes with the first piece', async (length) => {
    const first = Promise.withResolvers<Buffer>();
    await using to = await connectionTo(async (served) => {
      served.socket.once('data', (bytes) => first.resolve(bytes));
      await served.body(length);
      served.socket.end(CREATED);
    });
    const bytes = content('small', length);
    expect(await to.connection.send(upload(pieces(bytes), length), never)).toMatchObject({ status: 201 });
    expect((await first.promise).equals(Buffer.concat([head, bytes]))).toBe(true);
  });

  it('does not keep its head back until its source has a piece', async () => {
    const asked = Promise.withResolvers<undefined>();
    await using to = await connectionTo(async (served) => {
      await served.body(0);
      asked.resolve(undefined);
      await served.body(5);
      served.socket.end(CREATED);
    });
    async function* slow() {
      await asked.promise;
      yield Buffer.from('hello');
    }
    expect(await to.connection.send(upload(slow(), 5), never)).toMatchObject({ status: 201 });
  });

  it('waits for a slow source longer than for a server', async () => {
    await using to = await connectionTo(async (served) => {
      await served.body(10);
      served.socket.end(CREATED);
    }, 100);
    async function* slow() {
      yield Buffer.from('hello');
      await sleep(500);
      yield Buffer.from('world');
    }
    expect(await to.connection.send(upload(slow(), 10), never)).toMatchObject({ status: 201 });
  });
});

describe('an upload that is refused', () => {
  it('in the middle of its body keeps the text, and asks for no more of it', async () => {
    await using to = await connectionTo(async (served) => {
      served.socket.write(CONTINUE);
      await served.body(MIB);
      served.socket.write(REFUSED);
    });
    let given = 0;
    async function* endless() {
      for (; ; given++) {
        await sleep(1);
        yield Buffer.alloc(64 * 1024);
      }
    }
    const answer = await to.connection.send(upload(endless(), 1e12), never);
    expect(answer).toMatchObject({ status: 403, text: REASON });
    const before = given;
    await sleep(50);
    expect(given - before).toBeLessThanOrEqual(1);
  });

  it.each([
    ['all at once', [REFUSED]],
    ['in two', [REFUSED.slice(0, 90), REFUSED.slice(90)]],
  ])('and cut off right after keeps the text, which came %s', async (_how, parts) => {
    const isCut = Promise.withResolvers<undefined>();
    await using to = await connectionTo(async ({ socket }) => {
      await once(socket, 'data');
      for (const part of parts) socket.write(part);
      // There is more of the body that nobody has read: the connection is reset.
      socket.destroy();
      isCut.resolve(undefined);
    });
    async function* body() {
      yield Buffer.alloc(MIB);
      await isCut.promise;
      // Before anything is read: this write fails.
      for (;;) yield Buffer.alloc(MIB);
    }
    const answer = await to.connection.send(upload(body(), 1e12), never);
    expect(answer).toMatchObject({ status: 403, text: REASON });
  });

  it('while its source has nothing to send is not held up by it', async () => {
    await using to = await connectionTo(async (served) => {
      await served.body(5);
      served.socket.write(REFUSED);
    });
    async function* stuck() {
      yield Buffer.from('hello');
      await new Promise(() => undefined);
    }
    expect(await to.connection.send(upload(stuck(), 10), never)).toMatchObject({ status: 403 });
  });

  it('and patient has not asked for its second piece, whenever the interim answer came', async () => {
    for (const wait of [0, 50]) {
      await using to = await connectionTo(async (served) => {
        await sleep(wait);
        served.socket.write(CONTINUE);
        await served.body(5);
        await sleep(50);
        served.socket.write(REFUSED);
      });
      let given = 0;
      async function* body() {
        for (; given < 10; given++) yield await Promise.resolve(Buffer.from('hello'));
      }
      expect(await to.connection.send(upload(body(), 50, true), never)).toMatchObject({ status: 403 });
      expect(given).toBe(0);
    }
  });
});

it('a patient upload goes on when no refusal comes', async () => {
  await using to = await connectionTo(async (served) => {
    served.socket.write(CONTINUE);
    await served.body(LENGTH);
    served.socket.end(CREATED);
  });
  const body = again(content('patient', LENGTH));
  expect(await to.connection.send(upload(body, LENGTH, true), never)).toMatchObject({ status: 201 });
});

describe('an upload fails', () => {
  const take: Serve = async (to) => {
    await to.body(10);
    to.socket.write(CREATED);
  };

  it.each<[string, Serve, number, RegExp]>([
    ['whose body is too short', take, 11, /body ended after 10 of 11 bytes/],
    ['whose body is too long, also when its server has taken it', take, 9, /more than its 9 bytes/],
    ['whose body is too long at the end, after the answer', take, 10, /more than its 10 bytes/],
    [
      'that is taken before all of it was sent',
      async (to) => {
        await to.body(5);
        to.socket.write(CREATED);
      },
      15,
      /took the file before all of its 15 bytes/,
    ],
    [
      'that is answered in another protocol',
      async (to) => {
        await to.body(5);
        to.socket.write('220 mail ESMTP\r\n');
      },
      15,
      /no answer in HTTP/,
    ],
    ['whose server closes without a word', (to) => to.socket.end(), 15, /connection was closed/],
    [
      'whose server closes in the middle of its answer',
      async (to) => {
        await to.body(10);
        to.socket.end(REFUSED.slice(0, -1));
      },
      11,
      /connection was closed|body ended/,
    ],
    [
      'whose server resets',
      async ({ socket }) => {
        await once(socket, 'data');
        socket.resetAndDestroy();
      },
      15,
      /ECONNRESET|EPIPE|connection was closed/,
    ],
  ])('%s', async (what, serve, lengthBytes, message) => {
    await using to = await connectionTo(serve);
    async function* body() {
      yield Buffer.from('hello');
      await sleep(100);
      yield Buffer.from('world');
      if (what.includes('after the answer')) {
        await sleep(100);
        yield Buffer.from('!');
      }
      // What closes a connection is known by then.
      if (lengthBytes > 11) await new Promise(() => undefined);
    }
    expect(String(await errorOf(to.connection.send(upload(body(), lengthBytes), never)))).toMatch(message);
  });

  it.each([
    ['and cuts it off', 'before all of its 16777216 bytes'],
    ['and reads no more of it', 'it took nothing for 0.3 s after 0 of 16777216 bytes'],
    ['and ends its side', 'it took nothing for 0.3 s after 0 of 16777216 bytes'],
  ])('whose server takes the file in the middle of its last piece %s', async (what, message) => {
    await using to = await connectionTo(
      async ({ socket }) => {
        await once(socket, 'data');
        socket.pause();
        const answer = CREATED.replace('Connection: close\r\n', '');
        if (what === 'and ends its side') socket.end(answer);
        else socket.write(answer);
        if (what === 'and cuts it off') socket.destroy();
      },
      what === 'and cuts it off' ? LONG_MS : 300,
    );
    const sending = to.connection.send(upload(pieces(Buffer.alloc(16 * MIB), 16 * MIB), 16 * MIB), never);
    expect(String(await errorOf(sending))).toContain(message);
  });

  it('for want of an answer in the time that a file of its length is given', async () => {
    const server = await RawServer.start(() => undefined);
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const connection = new UploadConnection(socket, { stallMs: 20, answerMs: (lengthBytes) => lengthBytes * 100 });
    const error = errorOf(connection.send(upload(pieces(Buffer.from('hello')), 5), never));
    expect(String(await error)).toContain('no answer within 0.5 s after all of its 5 bytes were sent');
    await connection.close();
    await server[Symbol.asyncDispose]();
  });

  it('for want of an answer, also when its body has come to its end late, after no piece', async () => {
    await using to = await connectionTo(() => undefined, 100);
    async function* late() {
      await sleep(300);
      yield* pieces(Buffer.alloc(0));
    }
    expect(await errorOf(to.connection.send(upload(late(), 0), never))).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('before anything of it is sent, when it is stopped by then', async () => {
    await using to = await connectionTo(() => undefined);
    const reason = new Error('stopped by the test');
    const sending = to.connection.send(upload(pieces(Buffer.from('hello')), 5), AbortSignal.abort(reason));
    expect(await errorOf(sending)).toBe(reason);
    await to.connection.close();
    expect(to.server.connections.map(({ received }) => received.length)).toEqual([0]);
  });

  it('with the error of its body', async () => {
    await using to = await connectionTo(() => undefined);
    const reason = new Error('the source broke off');
    async function* body() {
      yield Buffer.from('hello');
      await sleep(1);
      throw reason;
    }
    expect(await errorOf(to.connection.send(upload(body(), 10), never))).toBe(reason);
  });

  it.each<[string, Serve, number]>([
    ['reads nothing more', ({ socket }) => socket.pause(), 100 * MIB],
    ['gives no answer', () => undefined, MIB],
  ])('when its server %s for too long', async (_what, serve, length) => {
    await using to = await connectionTo(serve, 300);
    const sending = to.connection.send(upload(again(Buffer.alloc(length)), length), never);
    expect(await errorOf(sending)).toMatchObject({ code: 'ETIMEDOUT' });
  });

  it.each([
    ['while its source has nothing', 10, () => new Promise(() => undefined)],
    ['while its server takes nothing', 100 * MIB, () => Promise.resolve()],
    ['while it waits for the answer', MIB, () => Promise.resolve()],
  ])('when it is stopped %s, with the reason', async (_what, length, next) => {
    await using to = await connectionTo(({ socket }) => (length > MIB ? socket.pause() : undefined));
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    async function* body() {
      yield Buffer.from('hello');
      await next();
      yield* again(Buffer.alloc(length - 5));
    }
    setTimeout(() => stop.abort(reason), 100);
    expect(await errorOf(to.connection.send(upload(body(), length), stop.signal))).toBe(reason);
  });
});

it('a connection that carries many uploads keeps nothing of those before', async () => {
  await using to = await connectionTo(async (served) => {
    for (;;) {
      await served.body(5);
      served.forget();
      served.socket.write(CREATED.replace('Connection: close\r\n', ''));
    }
  });
  const answers: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) {
    answers.push(new WeakRef(await to.connection.send(upload(pieces(Buffer.from('hello')), 5), never)));
    expect(to.connection.rest(LONG_MS)).toBe(true);
  }
  await expect
    .poll(() => {
      collectGarbage();
      return answers.filter((answer) => answer.deref()).length;
    })
    .toBeLessThanOrEqual(1);
});

describe('a connection that is closed', () => {
  it('in the middle of a request waits until its server has ended it too', async () => {
    let hasEnded = false;
    await using to = await connectionTo(async ({ socket }) => {
      await once(socket, 'end');
      await sleep(200);
      hasEnded = true;
      socket.end();
    });
    async function* body() {
      yield Buffer.from('hello');
      throw await Promise.resolve(new Error('the source broke off'));
    }
    await errorOf(to.connection.send(upload(body(), 10), never));
    await to.connection.close();
    expect(hasEnded).toBe(true);
  });

  it.each([
    ['that is stopped', 'stopped by the test'],
    ['whose server was waited for too long', 'it took nothing for'],
  ])(
    'in the middle of a piece %s gives its server all of that and the end, and keeps the memory',
    async (what, says) => {
      const isStopped = Promise.withResolvers<undefined>();
      let hasEnded = false;
      await using to = await connectionTo(
        async ({ socket }) => {
          socket.pause();
          await isStopped.promise;
          const end = once(socket, 'end');
          socket.resume();
          await end;
          await sleep(200);
          hasEnded = true;
          socket.end();
        },
        what === 'that is stopped' ? LONG_MS : 300,
      );
      let isGivenBack = false;
      const bytes = content('one piece', LENGTH);
      async function* body() {
        try {
          yield await Promise.resolve(bytes);
        } finally {
          isGivenBack = true;
        }
      }
      const stop = new AbortController();
      if (what === 'that is stopped') setTimeout(() => stop.abort(new Error('stopped by the test')), 100);
      expect(String(await errorOf(to.connection.send(upload(body(), 2 * LENGTH), stop.signal)))).toContain(says);
      await sleep(50);
      expect(isGivenBack).toBe(false);
      isStopped.resolve(undefined);
      await to.connection.close();
      expect(hasEnded).toBe(true);
      const [served] = to.server.connections;
      expect(served?.received.equals(Buffer.concat([head, bytes]))).toBe(true);
      await expect.poll(() => isGivenBack).toBe(true);
    },
  );

  it('does not wait for a server that reads nothing, and then gives the memory back', async () => {
    await using to = await connectionTo(({ socket }) => socket.pause());
    let isGivenBack = false;
    async function* body() {
      try {
        yield await Promise.resolve(Buffer.alloc(LENGTH));
      } finally {
        isGivenBack = true;
      }
    }
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    await errorOf(to.connection.send(upload(body(), 2 * LENGTH), stop.signal));
    await to.connection.close();
    await expect.poll(() => isGivenBack).toBe(true);
  });

  it('does not wait for ever', async () => {
    await using to = await connectionTo(() => undefined);
    await errorOf(to.connection.send(upload(pieces(Buffer.from('x')), 10), never));
    await to.connection.close();
    expect(to.connection.isIdle).toBe(false);
  });

  it('is not waited for when it was answered', async () => {
    await using to = await connectionTo(async (served) => {
      await served.body(5);
      served.socket.write(CREATED);
    });
    await to.connection.send(upload(pieces(Buffer.from('hello')), 5), never);
    const order: string[] = [];
    const timer = sleep(1000).then(() => order.push('a second'));
    await to.connection.close().then(() => order.push('closed'));
    await timer;
    expect(order).toEqual(['closed', 'a second']);
  });
});
