/** The head of an answer whose body is as many bytes as it says, and nothing else. */
export interface SimpleHead {
  readonly lengthBytes: number;
  /** Where the body begins. */
  readonly bodyAt: number;
}

export type NotSimple = 'refusal' | 'unfamiliar';

/** A head that is longer is left to an HTTP parser. */
export const HEAD_BYTES = 16 * 1024;

/**
 * Reads the head of an answer where it is simple: 200 with one Content-Length, as datanodes give it. Anything else is for a real HTTP
 * parser to understand.
 * @returns undefined while the head is not complete; `refusal` of another status; `unfamiliar` of a 200 that is not simple
 * @see RFC 9112, 6.3
 */
export function simpleHead(bytes: Buffer): SimpleHead | NotSimple | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length >= HEAD_BYTES ? 'unfamiliar' : undefined;
  const [status = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  if (!/^HTTP\/1\.[01] 200(?: |$)/.test(status)) return 'refusal';
  let lengthBytes: number | undefined;
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case '':
      case 'transfer-encoding':
      case 'content-encoding':
        return 'unfamiliar';
      case 'content-type':
        if (/^text\/html/i.test(value)) return 'unfamiliar';
        break;
      case 'content-length':
        if (lengthBytes !== undefined || !/^\d{1,15}$/.test(value)) return 'unfamiliar';
        lengthBytes = Number(value);
        break;
    }
  }
  return lengthBytes === undefined ? 'unfamiliar' : { lengthBytes, bodyAt: end + 4 };
}
