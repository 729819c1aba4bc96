import { describe, expect, it } from 'vitest';
import { HEAD_BYTES, simpleHead } from '../../../../../shared/hdfs/datanode/head.ts';

const datanode = 'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 5\r\nConnection: close\r\n\r\n';
const headOf = (text: string) => simpleHead(Buffer.from(text, 'latin1'));

describe('simpleHead', () => {
  it('reads what a datanode answers, wherever it is cut', () => {
    for (let cut = 0; cut < datanode.length; cut++) expect(headOf(datanode.slice(0, cut))).toBeUndefined();
    expect(headOf(`${datanode}hello`)).toEqual({ lengthBytes: 5, bodyAt: datanode.length });
  });

  it.each([
    ['small letters', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n'],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length:5\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: \t5 \r\n\r\n'],
    ['a type', 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\n'],
  ])('reads one with %s', (_what, text) => {
    expect(headOf(text)).toEqual({ lengthBytes: 5, bodyAt: text.length });
  });

  it.each([
    ['404', 'HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n'],
    ['206', 'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\n'],
    ['307', 'HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n\r\n'],
    ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['no HTTP', '220 mail ESMTP\r\n\r\n'],
  ])('takes %s for a refusal', (_what, text) => {
    expect(headOf(text)).toBe('refusal');
  });

  it.each([
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['chunks and a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n'],
    ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n'],
    ['a coding', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n'],
    ['a page for people', 'HTTP/1.1 200 OK\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 5\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 6\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n'],
    ['a line that is none', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nnothing\r\n\r\n'],
  ])('leaves a 200 with %s to a parser', (_what, text) => {
    expect(headOf(text)).toBe('unfamiliar');
  });

  it('leaves a head that does not end to a parser', () => {
    const endless = `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(HEAD_BYTES)}`;
    expect(headOf(endless.slice(0, HEAD_BYTES - 1))).toBeUndefined();
    expect(headOf(endless)).toBe('unfamiliar');
  });
});
