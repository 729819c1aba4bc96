import type { Socket } from 'node:net';
import { answerIn, type RawAnswer } from './answer.ts';
import { closed, Silence } from './broken.ts';
import { HEAD_BYTES, type NotSimple, simpleHead } from './head.ts';
import { giveSlab, SLAB_BYTES, takeSlab } from './slabs.ts';

/** Slabs of one download that wait or are lent before the socket is not read any more; one more fills. */
const RING = 3;
/** A TLS record. Room for one must always be left: bytes that find none are lost. */
const RECORD_BYTES = 16 * 1024;

/** How a socket reads into memory that is given to it. @see node:net, `onread` of socket.connect */
export interface Onread {
  readonly buffer: () => Uint8Array;
  readonly callback: (bytes: number) => boolean;
}

/** Memory, and who still needs it: the socket, which fills its rest, and readers of what is in it. */
interface Slab {
  readonly memory: Buffer;
  readers: number;
  isFilling: boolean;
}

interface Piece {
  readonly slab: Slab;
  readonly bytes: Uint8Array;
}

/** Where bytes go that nobody reads: behind the end of a body, or of an answer that is not understood. A socket needs room for them. */
const surplus = Buffer.allocUnsafeSlow(RECORD_BYTES);

/**
 * An HTTP answer that is read from its socket into slabs of our own: no stream, parser or fresh memory stands between. While its reader
 * is busy the next slabs fill; when none is left the socket is not read any more, which is all the backpressure there is.
 *
 * A piece of the body is good until the next one is asked for: its memory is then filled again.
 */
export class RawBody implements AsyncIterable<Uint8Array> {
  readonly onread: Onread = { buffer: () => this.#room(), callback: (bytes) => this.#came(bytes) };
  readonly #wantedBytes: number;
  #socket: Socket | undefined;
  #head: 'awaited' | 'simple' | NotSimple = 'awaited';
  #lengthBytes = 0;
  #cameBytes = 0;
  /** The slab that fills. The socket holds the room behind its filled part until it has filled some of it. */
  #slab: Slab | undefined;
  /** Where the bytes begin that are in no piece yet, and where those end that have come. */
  #from = 0;
  #filled = 0;
  readonly #pieces: Piece[] = [];
  /** The piece that the reader has. */
  #lent: Piece | undefined;
  #isPaused = false;
  #gathering: NodeJS.Immediate | undefined;
  #isOver = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  /** @param wantedBytes  how long the body is expected to be: a short one takes no more memory than that */
  constructor(wantedBytes: number) {
    this.#wantedBytes = wantedBytes;
  }

  /** Takes over the socket that reads by `onread`. @param idleMs  for how long nothing may come while something is wanted */
  attach(socket: Socket, idleMs: number): void {
    this.#socket = socket;
    socket.on('error', (error) => this.#end(error));
    socket.on('end', () => this.#end(undefined));
    socket.on('close', () => this.#end(undefined));
    socket.on('timeout', () => {
      const { bytesRead, timeout = 0 } = socket;
      // What came while this process slept is read first.
      setImmediate(() => {
        // The time passes while a reader is busy, too.
        if (socket.bytesRead !== bytesRead || this.#isPaused || this.#isWhole) return;
        this.destroy(new Silence(`no answer within ${timeout / 1000} s`));
      });
    });
    socket.setTimeout(idleMs);
  }

  /** @param idleMs  for how long nothing may come from now on while something is wanted; 0: without end */
  allow(idleMs: number): void {
    this.#socket?.setTimeout(idleMs);
  }

  get #isWhole(): boolean {
    return this.#head === 'simple' && this.#cameBytes >= this.#lengthBytes;
  }

  /** @returns the length that the server states, or why the answer is none that is read here. @throws what broke the connection */
  async head(): Promise<number | NotSimple> {
    while (this.#head === 'awaited') {
      if (this.#isOver) throw this.#error ?? closed();
      await this.#next();
    }
    return this.#head === 'simple' ? this.#lengthBytes : this.#head;
  }

  /**
   * The answer whose head is a refusal's, whole.
   * @returns undefined where it is too long to be read here, is none of a refusal, or breaks off
   * @throws where it is no HTTP
   */
  async refusal(): Promise<RawAnswer | undefined> {
    for (;;) {
      const came = this.#slab?.memory.subarray(0, this.#filled);
      const answer = came && answerIn(came, this.#isOver && !this.#error);
      if (answer) return answer.status === 200 ? undefined : answer;
      if (this.#isOver || this.#slab?.memory.length === this.#filled) return undefined;
      await this.#next();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let givenBytes = 0; givenBytes < this.#lengthBytes;) {
        this.#takeBack();
        if (!this.#gathering) this.#cut();
        const piece = this.#pieces.shift();
        if (this.#cameBytes > this.#lengthBytes) throw new Error('it sent more bytes than it stated');
        if (piece) {
          this.#lent = piece;
          givenBytes += piece.bytes.length;
          yield piece.bytes;
        } else if (this.#isOver) throw this.#error ?? closed();
        else await this.#next();
      }
    } finally {
      this.#takeBack();
      this.destroy();
    }
  }

  /** Ends the connection: nothing more of it comes. @param error  what a reader is told that waits for more */
  destroy(error?: Error): void {
    clearImmediate(this.#gathering);
    this.#end(error);
    this.#socket?.destroy();
    for (const piece of this.#pieces.splice(0)) release(piece);
  }

  #next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Asked for after each piece of news, for the next one. */
  #room(): Uint8Array {
    if (this.#isWhole || this.#head === 'unfamiliar') return surplus;
    // A refusal is as long as the rest of its slab, or is read another way.
    if (this.#head === 'refusal') {
      const rest = this.#slab?.memory.subarray(this.#filled);
      return rest && rest.length > 0 ? rest : surplus;
    }
    // The head stays in one slab, which is made with room for the longest and for a record behind it.
    const leastRoom = this.#head === 'awaited' ? 0 : Math.min(RECORD_BYTES, this.#missingBytes());
    if (this.#slab && this.#slab.memory.length - this.#filled < leastRoom) this.#leave();
    if (!this.#slab) {
      const memory = takeSlab(Math.min(SLAB_BYTES, Math.max(RECORD_BYTES, this.#missingBytes())));
      this.#slab = { memory, readers: 0, isFilling: true };
      this.#from = 0;
      this.#filled = 0;
    }
    return this.#slab.memory.subarray(this.#filled);
  }

  #missingBytes(): number {
    return this.#head === 'awaited'
      ? this.#wantedBytes + HEAD_BYTES + RECORD_BYTES
      : this.#lengthBytes - this.#cameBytes + 1;
  }

  #came(bytes: number): boolean {
    const wasAwaited = this.#head === 'awaited';
    if (wasAwaited) this.#look(bytes);
    else if (this.#head === 'refusal') this.#filled = Math.min(this.#filled + bytes, this.#slab?.memory.length ?? 0);
    if (this.#head !== 'simple') {
      this.#wake();
      return this.#head !== 'unfamiliar';
    }
    if (!wasAwaited) {
      // What lies behind the end of the body is in no slab.
      if (this.#cameBytes < this.#lengthBytes) this.#filled += bytes;
      this.#cameBytes += bytes;
    }
    const isWhole = this.#isWhole;
    if (isWhole) this.#leave();
    if (isWhole || this.#pieces.length > 0) this.#wake();
    // What comes in the same turn is gathered; what is there when nothing more comes is not held back.
    else {
      this.#gathering ??= setImmediate(() => {
        this.#gathering = undefined;
        this.#wake();
      });
    }
    this.#isPaused = !isWhole && this.#pieces.length + (this.#lent ? 1 : 0) >= RING;
    return !this.#isPaused;
  }

  /** Looks whether the head of the answer is there now, and simple. */
  #look(bytes: number): void {
    this.#filled += bytes;
    const head = this.#slab && simpleHead(this.#slab.memory.subarray(0, this.#filled));
    if (head === undefined) return;
    if (typeof head === 'string') {
      this.#head = head;
      return;
    }
    this.#head = 'simple';
    this.#lengthBytes = head.lengthBytes;
    this.#from = head.bodyAt;
    this.#cameBytes = this.#filled - head.bodyAt;
  }

  /** Makes a piece of what has come since the last one. */
  #cut(): void {
    if (!this.#slab || this.#head !== 'simple' || this.#filled === this.#from) return;
    this.#slab.readers += 1;
    this.#pieces.push({ slab: this.#slab, bytes: this.#slab.memory.subarray(this.#from, this.#filled) });
    this.#from = this.#filled;
  }

  /** Nothing more goes into the slab. */
  #leave(): void {
    this.#cut();
    if (!this.#slab) return;
    this.#slab.isFilling = false;
    giveIfFree(this.#slab);
    this.#slab = undefined;
  }

  #takeBack(): void {
    if (!this.#lent) return;
    release(this.#lent);
    this.#lent = undefined;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Its time-out may have passed while nothing was wanted.
    this.#socket?.setTimeout(this.#socket.timeout ?? 0);
    this.#socket?.resume();
  }

  #end(error: Error | undefined): void {
    if (!this.#isOver) this.#error = error;
    this.#isOver = true;
    this.#wake();
  }
}

function release({ slab }: Piece): void {
  slab.readers -= 1;
  giveIfFree(slab);
}

function giveIfFree({ memory, readers, isFilling }: Slab): void {
  if (readers === 0 && !isFilling) giveSlab(memory);
}
