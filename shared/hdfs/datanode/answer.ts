import type { IncomingHttpHeaders } from 'node:http';

/** A whole answer to a request whose body was written by hand. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether its connection is good for another request. */
  readonly isKept: boolean;
}

/** Why bytes are no answer. Named as parsers of HTTP name it. */
class NotHttp extends Error {
  override readonly name = 'HTTPParserError';
}

/** A Location holds a path of up to 8,000 characters, each of which may be nine when encoded. */
export const HEADER_BYTES = 256 * 1024;
/** An error page is read up to here; nobody reads further. */
export const ERROR_BODY_BYTES = 64 * 1024;

/**
 * Reads the final answer in what a server has sent by now. Interim answers before it are passed over; its body is as long as it states, in
 * chunks, or lasts until the connection ends.
 * @param hasEnded  whether the server has ended the connection in order
 * @returns undefined while it is not complete
 * @throws where it is no HTTP
 * @see RFC 9112, 6.3
 */
export function answerIn(bytes: Buffer, hasEnded: boolean): RawAnswer | undefined {
  for (let at = 0; ;) {
    const begin = bytes.toString('latin1', at, at + 7);
    if (!'HTTP/1.'.startsWith(begin)) throw new NotHttp('what came is no answer in HTTP');
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) {
      if (bytes.length - at > HEADER_BYTES) throw new NotHttp('the head of the answer does not end');
      return undefined;
    }
    const [statusLine = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const [, version, digits] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/.exec(statusLine) ?? [];
    if (digits === undefined) throw new NotHttp('what came is no answer in HTTP');
    const status = Number(digits);
    if (status >= 200) {
      const headers = headersOf(lines);
      const body = bodyIn(bytes.subarray(end + 4), status, headers, hasEnded);
      if (!body) return undefined;
      const isKept = body.isDelimited && version === '1' && !/\bclose\b/i.test(headers.connection ?? '');
      return { status, headers, text: body.bytes.toString('utf8'), isKept };
    }
    at = end + 4;
  }
}

function headersOf(lines: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const line of lines) {
    const [, name, value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new NotHttp('a line in the head of the answer is none');
    const key = name.toLowerCase();
    if (key === 'set-cookie') headers['set-cookie'] = [...(headers['set-cookie'] ?? []), value];
    else headers[key] = key in headers ? `${String(headers[key])}, ${value}` : value;
  }
  return headers;
}

interface Body {
  readonly bytes: Buffer;
  /** Whether it ends where it says, with nothing behind it. */
  readonly isDelimited: boolean;
}

function bodyIn(bytes: Buffer, status: number, headers: IncomingHttpHeaders, hasEnded: boolean): Body | undefined {
  if (status === 204 || status === 304) return cut(bytes, 0);
  const coding = headers['transfer-encoding'];
  const stated = headers['content-length'];
  // A length beside chunks is none; and such a connection is not used again.
  if (coding !== undefined && /\bchunked$/i.test(coding)) {
    const body = chunksIn(bytes);
    return body && { ...body, isDelimited: body.isDelimited && stated === undefined };
  }
  if (coding === undefined && stated !== undefined) {
    const [length = '', ...others] = new Set(stated.split(/[ \t]*,[ \t]*/));
    if (!/^\d{1,15}$/.test(length) || others.length > 0) throw new NotHttp('the length of the answer is none');
    return bytes.length >= Math.min(Number(length), ERROR_BODY_BYTES) ? cut(bytes, Number(length)) : undefined;
  }
  return hasEnded || bytes.length >= ERROR_BODY_BYTES ? cut(bytes, Infinity) : undefined;
}

function cut(bytes: Buffer, length: number): Body {
  return { bytes: bytes.subarray(0, Math.min(length, ERROR_BODY_BYTES)), isDelimited: bytes.length === length };
}

/** @see RFC 9112, 7.1 */
function chunksIn(bytes: Buffer): Body | undefined {
  const chunks: Buffer[] = [];
  let length = 0;
  for (let at = 0; length < ERROR_BODY_BYTES;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const [, size] = /^([\da-f]{1,8})[ \t]*(?:;.*)?$/i.exec(bytes.toString('latin1', at, end)) ?? [];
    if (size === undefined) throw new NotHttp('a chunk of the answer is none');
    const [from, chunkBytes] = [end + 2, parseInt(size, 16)];
    if (chunkBytes === 0) {
      // Trailers end as a head does: the line before them may be the last one.
      const last = bytes.indexOf('\r\n\r\n', end);
      return last < 0 ? undefined : { bytes: Buffer.concat(chunks), isDelimited: last + 4 === bytes.length };
    }
    if (bytes.length < from + Math.min(chunkBytes + 2, ERROR_BODY_BYTES)) return undefined;
    chunks.push(bytes.subarray(from, from + chunkBytes));
    length += chunkBytes;
    at = from + chunkBytes + 2;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, ERROR_BODY_BYTES), isDelimited: false };
}
