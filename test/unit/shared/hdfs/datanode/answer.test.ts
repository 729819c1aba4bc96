import { describe, expect, it } from 'vitest';
import { answerIn } from '../../../../../shared/hdfs/datanode/answer.ts';
import { errorOf } from '../../../../support/files.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const MIB = 1024 * 1024;
const answer = (text: string, hasEnded = false) => answerIn(Buffer.from(text), hasEnded);

describe('an answer', () => {
  it.each<[string, string, Record<string, unknown>]>([
    [
      'of a datanode that took a file',
      `${CONTINUE}HTTP/1.1 201 Created\r\nLocation: hdfs://nn/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      { status: 201, text: '', isKept: false },
    ],
    [
      'of HttpFS that took a file',
      'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      { status: 201, text: '', isKept: true },
    ],
    [
      'that refuses, with a text',
      `${CONTINUE}HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\ncontent-length: 7\r\n\r\n"été"`,
      { status: 403, text: '"été"', isKept: true },
    ],
    [
      'in chunks with extensions and trailers',
      'HTTP/1.1 403 No\r\ntransfer-encoding: Chunked\r\n\r\n2;a=b\r\nno\r\nC \r\n, you don’\r\n0\r\nX: y\r\n\r\n',
      { status: 403, text: 'no, you don’', isKept: true },
    ],
    [
      'behind several interim ones',
      `${CONTINUE}HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${CONTINUE}HTTP/1.1 201\r\ncontent-length:0\r\n\r\n`,
      { status: 201, isKept: true },
    ],
    ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, text: '', isKept: true }],
    ['of HTTP/1.0', 'HTTP/1.0 201 Created\r\nContent-Length: 0\r\n\r\n', { status: 201, isKept: false }],
    [
      'that states the same length twice',
      'HTTP/1.1 403 No\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nno',
      { text: 'no', isKept: true },
    ],
    [
      'that states a length and comes in chunks',
      'HTTP/1.1 403 No\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      { text: 'no', isKept: false },
    ],
    [
      'with a head of many KiB',
      `HTTP/1.1 201 Created\r\nX: ${'x'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`,
      { status: 201 },
    ],
  ])('%s is read when it is whole, wherever it is cut', (_what, text, expected) => {
    const bytes = Buffer.from(text);
    const cuts = bytes.length > 1000 ? 101 : 1;
    for (let cut = 0; cut < bytes.length; cut += cuts) expect(answerIn(bytes.subarray(0, cut), false)).toBeUndefined();
    expect(answerIn(bytes, false)).toMatchObject(expected);
  });

  it('of no stated length lasts until the connection ends', () => {
    const text = 'HTTP/1.1 500 Server Error\r\n\r\n<html>';
    expect(answer(text)).toBeUndefined();
    expect(answer(text, true)).toMatchObject({ status: 500, text: '<html>', isKept: false });
  });

  it('that ends early is none', () => {
    expect(answer('HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nno', true)).toBeUndefined();
    expect(answer('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nno', true)).toBeUndefined();
    expect(answer('HTTP/1.1 201 Crea', true)).toBeUndefined();
  });

  it('with more behind it leaves no connection for another request', () => {
    expect(answer('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\nHTTP')).toMatchObject({ isKept: false });
    expect(answer('HTTP/1.1 204 No\r\n\r\nx')).toMatchObject({ isKept: false });
    expect(answer('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx')).toMatchObject({ isKept: false });
  });

  it.each([
    ['of a stated length', `Content-Length: ${10 * MIB}\r\n\r\n`, ''],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n', 'ffffff\r\n'],
    ['without an end', '\r\n', ''],
  ])('that is too long is read in part: %s', (_what, head, chunk) => {
    const read = answer(`HTTP/1.1 500 No\r\n${head}${chunk}${'x'.repeat(100_000)}`);
    expect(read).toMatchObject({ status: 500, isKept: false });
    expect(read?.text).toMatch(/^x+$/);
    expect(read?.text).toHaveLength(64 * 1024);
  });

  it('tells its headers by their names in small letters, and each cookie', () => {
    const text = 'HTTP/1.1 201 Created\r\nSet-Cookie: a=1\r\nSET-COOKIE:b=2 \r\nDate: now\r\nContent-Length: 0\r\n\r\n';
    expect(answer(text)?.headers).toEqual({ 'set-cookie': ['a=1', 'b=2'], date: 'now', 'content-length': '0' });
  });

  it.each([
    ['another protocol', '220 mail ESMTP\r\n'],
    ['a TLS alert', '\x15\x03\x03\0\x02\x02\x46'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 abc\r\n\r\n'],
    ['a line that is none', 'HTTP/1.1 201 Created\r\nnothing\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 201 Created\r\nX: a\r\n b\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 201 Created\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 201 Created\r\nContent-Length: -1\r\n\r\n'],
    ['a chunk that is none', 'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a head without an end', `HTTP/1.1 201 Created\r\nX: ${'x'.repeat(MIB)}`],
  ])('is not what is %s', async (_what, text) => {
    const read = Promise.resolve().then(() => answer(text));
    expect(await errorOf(read)).toMatchObject({ name: 'HTTPParserError' });
  });
});
