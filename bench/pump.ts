// A file's bytes from one datanode's socket to another's, through memory of our own.
import { answered, headOf, open } from './raw-http.ts';

const slabBytes = 256 * 1024;
/** A TLS record. Room for one must always be left: records that are decrypted already still come when reading stops. */
const recordBytes = 16 * 1024;
/** On their way to the destination before the source is not read any more. */
const mostUnderWay = 4 * slabBytes;

/** Kept for the next file. */
const spare: Buffer[] = [];

const takeSlab = (): Slab => ({ memory: spare.pop() ?? Buffer.allocUnsafeSlow(slabBytes), users: 1 });

/** Memory, and how many still need it: the socket that fills it, and writes of what is in it. */
interface Slab {
  readonly memory: Buffer;
  users: number;
}

const release = (slab: Slab): void => {
  slab.users -= 1;
  if (slab.users === 0) spare.push(slab.memory);
};

/** The body's beginning in the head of an answer. @returns undefined while the head is not whole */
const bodyAtOf = (bytes: Buffer, lengthBytes: number): number | undefined => {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const stated = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (!/^HTTP\/1\.1 200 /.test(head) || Number(stated) !== lengthBytes) throw new Error(`not the file: ${head}`);
  return end + 4;
};

/**
 * Reads a file at a datanode's URL and writes it at another's. What comes in one turn of the event loop is written at once: over TLS a write
 * a record would cost a system call each.
 * @param tap  is shown all bytes, in order
 */
export const pump = async (
  from: string,
  to: string,
  lengthBytes: number,
  tap: (bytes: Buffer) => void,
): Promise<void> => {
  const [source, destination] = [new URL(from), new URL(to)];
  const written = open(destination);
  written.write(headOf('PUT', destination, lengthBytes));
  let slab = takeSlab();
  let begin: number | undefined;
  let filled = 0;
  let cameBytes = 0;
  let underWay = 0;
  let isPaused = false;
  let turn: NodeJS.Immediate | undefined;

  const flush = (): void => {
    clearImmediate(turn);
    turn = undefined;
    if (begin === undefined || filled === begin) return;
    const full = slab;
    const piece = full.memory.subarray(begin, filled);
    begin = filled;
    full.users += 1;
    underWay += piece.length;
    tap(piece);
    written.write(piece, () => {
      release(full);
      underWay -= piece.length;
      if (!isPaused || underWay >= mostUnderWay) return;
      isPaused = false;
      read.resume();
    });
  };
  const came = (bytes: number): boolean => {
    filled += bytes;
    if (begin === undefined) {
      begin = bodyAtOf(slab.memory.subarray(0, filled), lengthBytes);
      cameBytes = begin === undefined ? 0 : filled - begin;
    } else cameBytes += bytes;
    const isFull = slabBytes - filled < recordBytes;
    if (isFull || cameBytes === lengthBytes) flush();
    else turn ??= setImmediate(flush);
    // Also behind the last byte: the end of a connection is read, too, and nothing is read into no room.
    if (isFull) {
      release(slab);
      slab = takeSlab();
      begin = filled = 0;
    }
    isPaused = underWay >= mostUnderWay;
    return !isPaused;
  };
  // The room that is asked for after one piece is where the next one lies, whatever was written meanwhile.
  const read = open(source, { buffer: () => slab.memory.subarray(filled), callback: came });
  read.write(headOf('GET', source));
  const broken = new Promise<never>((_resolve, reject) => {
    read.on('error', reject).on('close', () => {
      if (cameBytes !== lengthBytes) reject(new Error(`${cameBytes} of ${lengthBytes} bytes came`));
    });
  });
  try {
    const { status, body } = await Promise.race([answered(written), broken]);
    if (status !== 201) throw new Error(`PUT ${to}: ${status} ${body}`);
  } finally {
    read.destroy();
    written.destroy();
    release(slab);
  }
};
