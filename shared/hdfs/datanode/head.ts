/** The head of an answer whose body is as many bytes as it says, and nothing else. */
export interface SimpleHead {
  readonly lengthBytes: number;
  /** Where the body begins. */
  readonly bodyAt: number;
}

export type NotSimple = 'refusal' | 'unfamiliar';

/** An answer of another status than 200, as far as it has come. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  /** Whether all of the body has come that was stated. */
  readonly isWhole: boolean;
}

/** Reads a refusal. @returns undefined where its body is none of a stated length, or it is no HTTP */
export function refusalIn(bytes: Buffer): Refusal | undefined {
  const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
  const head = bytes.toString('latin1', 0, bodyAt);
  const [, status] = /^HTTP\/1\.[01] ([2-5]\d\d)(?: |\r)/.exec(head) ?? [];
  const lengths = [...head.matchAll(/\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?=\r)/gi)];
  const [length] = lengths;
  if (status === undefined || length === undefined || lengths.length > 1) return undefined;
  if (/\r\n(?:transfer-encoding|content-encoding|location):/i.test(head)) return undefined;
  const text = bytes.toString('utf8', bodyAt);
  return { status: Number(status), text, isWhole: bytes.length - bodyAt >= Number(length[1]) };
}

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
