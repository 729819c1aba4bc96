import { describe, expect, it } from 'vitest';
import { Redirects } from '../../../bench/redirects.ts';

const redirects = new Redirects(
  new Map([
    ['http://localhost:50075/', 'http://localhost:7/'],
    ['http://localhost:5007/', 'http://localhost:80808/'],
  ]),
);
const answer =
  'HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost:50075/webhdfs/v1/h?op=OPEN\r\nContent-Length: 0\r\n\r\n' +
  'HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost:5007/h\r\nContent-Length: 0\r\n\r\n';
const changed = answer.replace('localhost:50075', 'localhost:7').replace('localhost:5007/', 'localhost:80808/');

describe('redirects of a namenode behind the proxy', () => {
  it('name the proxy, wherever the answer is cut', () => {
    for (let cut = 0; cut <= answer.length; cut++) {
      const rewrite = redirects.rewriter();
      const pieces = [answer.slice(0, cut), answer.slice(cut)].map((piece) => rewrite(Buffer.from(piece)).toString());
      expect(pieces.join(''), `cut at ${cut}`).toBe(changed);
    }
  });

  it('name the proxy in an answer that comes byte by byte', () => {
    const rewrite = redirects.rewriter();
    expect(Array.from(Buffer.from(answer), (byte) => rewrite(Buffer.of(byte)).toString()).join('')).toBe(changed);
  });

  it('leave bytes alone that are none of a redirect', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    expect(redirects.rewriter()(bytes)).toEqual(bytes);
  });
});
