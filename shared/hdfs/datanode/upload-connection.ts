import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerIn, type RawAnswer } from './answer.ts';
import { closed, Silence } from './broken.ts';

/** What a server said before it closed its end may still be on its way here when a write fails: it is waited for so long, ms. */
const LINGER_MS = 2000;
/** For how long a server is waited for that is in the middle of an aborted request, ms. */
const CLOSE_MS = 2000;
/** Where a refusal is likely: the wait for a datanode's interim answer, and for its refusal after that, since it then asks the namenode, ms. */
const INTERIM_MS = 5000;
const REFUSAL_MS = 200;

const NOTHING = Buffer.alloc(0);

/** For how long a server may take while it is its turn. */
export interface UploadLimits {
  /** For taking anything of a body, ms; 0: without end. */
  readonly stallMs: number;
  /** For its answer to a whole body, ms. */
  readonly answerMs: (lengthBytes: number) => number;
}

export interface UploadRequest {
  /** Request line and headers, with the empty line behind them. */
  readonly head: Buffer;
  readonly body: AsyncIterable<Uint8Array>;
  readonly lengthBytes: number;
  /** Whether a refusal is likely: the second piece of the body is asked for only when there was time for one. */
  readonly isPatient: boolean;
}

/**
 * A connection that carries uploads, one at a time. Pieces of a body are written as they come, and what the server says is read all the
 * while: interim answers whenever they come, and a refusal in the middle of the body, whose text is not lost when the server closes its
 * end right after it.
 */
export class UploadConnection {
  readonly #socket: Socket;
  readonly #limits: UploadLimits;
  #answered = Promise.withResolvers<RawAnswer>();
  /** One for each request: who waits for a promise is remembered by it for as long as it lasts. */
  #failed = Promise.withResolvers<never>();
  #answer: RawAnswer | undefined;
  #received: Buffer = NOTHING;
  /** Of the body that is on its way: what the socket was given, and what of that was written. */
  #givenBytes = 0;
  #sentBytes = 0;
  #lengthBytes = 0;
  #state: 'idle' | 'waits for its body' | 'waits for the server' | 'over' = 'idle';
  /** Whether the body has come to its end, and all of it was written. */
  #isSent = false;
  #cannotSend = false;
  /** Wakes who waits for anything to be read, and who waits for a piece to be written that is not wanted any more. */
  #onNews: () => void = () => undefined;
  #stopWriting: () => void = () => undefined;

  constructor(socket: Socket, limits: UploadLimits) {
    this.#socket = socket;
    this.#limits = limits;
    this.#readOnWhenWritesFail();
    socket.on('data', (bytes: Buffer) => this.#came(bytes));
    socket.on('error', (error) => this.#ended(error));
    socket.on('end', () => this.#ended(undefined));
    socket.on('close', () => this.#ended(closed()));
    socket.on('timeout', () => {
      if (this.#state === 'idle') socket.destroy();
      if (this.#state !== 'waits for the server') return;
      const { bytesRead } = socket;
      const sentBytes = this.#sentBytes;
      // What happened while this process slept is seen first.
      setImmediate(() => {
        const isStill = socket.bytesRead === bytesRead && this.#sentBytes === sentBytes;
        if (isStill && this.#state === 'waits for the server') this.#fail(this.#silence());
      });
    });
  }

  /** Whether anything has come in answer to the request. */
  get #hasHeard(): boolean {
    return this.#received.length > 0;
  }

  /** Whether it waits for a request. */
  get isIdle(): boolean {
    return this.#state === 'idle' && this.#socket.writable;
  }

  /**
   * Sends a request and reads its answer. Ends as soon as the server refuses; that it took the file is only believed when the body had the
   * length that was stated. Once this has rejected, the connection is to be closed.
   * @throws what broke the connection, the body's own error, the signal's reason
   */
  async send(request: UploadRequest, signal: AbortSignal): Promise<RawAnswer> {
    signal.throwIfAborted();
    const stop = () => this.#fail(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    this.#socket.ref().setTimeout(this.#limits.stallMs);
    this.#received = NOTHING;
    this.#answer = undefined;
    this.#answered = Promise.withResolvers();
    this.#failed = Promise.withResolvers();
    this.#failed.promise.catch(() => undefined);
    this.#givenBytes = 0;
    this.#sentBytes = 0;
    this.#lengthBytes = request.lengthBytes;
    this.#isSent = false;
    this.#state = 'waits for its body';
    const sent = this.#pump(request);
    sent.catch(() => undefined);
    const answered = this.#answered.promise;
    const failed = this.#failed.promise;
    try {
      const answer = await Promise.race([answered, failed, sent.then(() => answered)]);
      if (isTaken(answer)) await Promise.race([sent, failed]);
      return answer;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Waits for another request, and keeps no process alive meanwhile.
   * @param keptMs  for how long at most
   * @returns false where the connection is good for none
   */
  rest(keptMs: number): boolean {
    if (!this.#answer?.isKept || this.#state === 'over' || !this.#isSent) return false;
    this.#state = 'idle';
    this.#socket.unref().setTimeout(keptMs);
    return this.isIdle;
  }

  /**
   * Ends the connection. A server in the middle of a request is waited for, so that it does nothing more after this: it gets what was written,
   * the end, and some time. The piece of the body that is being written is needed until this returns.
   */
  async close(): Promise<void> {
    await this.#end();
    this.#stopWriting();
  }

  async #end(): Promise<void> {
    const socket = this.#socket;
    if (socket.closed) return;
    const isAsked = !this.#answer && this.#state !== 'idle';
    this.#state = 'over';
    const isClosed = new Promise((resolve) => socket.once('close', resolve));
    if (isAsked && socket.writable && !this.#cannotSend) {
      const hasEnded = new Promise((resolve) => socket.once('end', resolve));
      socket.end();
      await Promise.race([hasEnded, isClosed, sleep(CLOSE_MS, undefined, { ref: false })]);
    }
    socket.destroy();
    await isClosed;
  }

  /** Writes the head, and the body until it ends or is not wanted any more. */
  async #pump({ head, body, isPatient }: UploadRequest): Promise<void> {
    const socket = this.#socket;
    // A first piece that is there already goes with the head.
    socket.cork();
    socket.write(head);
    setImmediate(() => socket.uncork());
    let isFirst = true;
    for await (const piece of body) {
      const givenBytes = this.#givenBytes + piece.length;
      if (givenBytes > this.#lengthBytes) throw new Error(`the body has more than its ${this.#lengthBytes} bytes`);
      if (this.#isOver()) return;
      this.#givenBytes = givenBytes;
      this.#state = 'waits for the server';
      await this.#write(piece);
      if (isFirst && isPatient && givenBytes < this.#lengthBytes) await this.#patience();
      isFirst = false;
      if (this.#isOver()) return;
      if (givenBytes < this.#lengthBytes) this.#state = 'waits for its body';
    }
    if (this.#isOver()) return;
    if (this.#givenBytes < this.#lengthBytes)
      throw new Error(`the body ended after ${this.#givenBytes} of ${this.#lengthBytes} bytes`);
    this.#state = 'waits for the server';
    // The time-out may have passed while the body was waited for.
    socket.setTimeout(this.#limits.answerMs(this.#lengthBytes));
    this.#isSent = true;
  }

  /** Until the piece's memory may be filled again. */
  #write(piece: Uint8Array): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      this.#stopWriting = () => {
        socket.destroy();
        resolve();
      };
      socket.write(piece, () => {
        // Writes that a socket's end has cut off are called back as well.
        if (socket.destroyed) return;
        this.#sentBytes += piece.length;
        this.#stopWriting = () => undefined;
        resolve();
      });
      socket.uncork();
    });
  }

  async #patience(): Promise<void> {
    if (!this.#isOver() && !this.#hasHeard) await this.#news(INTERIM_MS);
    if (!this.#isOver()) await this.#news(REFUSAL_MS);
  }

  #news(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onNews = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Whether nothing more of the body is wanted. */
  #isOver(): boolean {
    return this.#state === 'over' || (this.#answer !== undefined && !isTaken(this.#answer));
  }

  #came(bytes: Buffer): void {
    // Nothing was asked: the other end is not where this one believes it to be.
    if (this.#state === 'idle' || this.#answer) return void this.#socket.destroy();
    this.#received = this.#hasHeard ? Buffer.concat([this.#received, bytes]) : bytes;
    this.#look(false);
    this.#onNews();
  }

  /** Looks whether the answer is whole. */
  #look(hasEnded: boolean): void {
    if (this.#answer || this.#state === 'over' || this.#state === 'idle') return;
    try {
      const answer = answerIn(this.#received, hasEnded);
      if (!answer) return;
      // The last piece may have gone before its write is called back, and is waited for.
      if (isTaken(answer) && (this.#givenBytes < this.#lengthBytes || this.#cannotSend)) throw this.#takenEarly();
      this.#answer = answer;
      this.#answered.resolve(answer);
      if (!isTaken(answer)) this.#stopWriting();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nothing more will come. @param error  undefined where what is being written may still be read */
  #ended(error: Error | undefined): void {
    if (this.#state === 'over') return;
    if (!error) this.#look(true);
    if (this.#state === 'idle') this.#state = 'over';
    else if (!this.#answer) this.#fail(error ?? closed());
    else if (!isTaken(this.#answer) || this.#sentBytes === this.#lengthBytes) this.#state = 'over';
    else if (error) this.#fail(this.#takenEarly());
  }

  #silence(): Silence {
    const { stallMs, answerMs } = this.#limits;
    const [sent, length] = [this.#sentBytes, this.#lengthBytes];
    return new Silence(
      this.#isSent
        ? `no answer within ${answerMs(length) / 1000} s after all of its ${length} bytes were sent`
        : `it took nothing for ${stallMs / 1000} s after ${sent} of ${length} bytes`,
    );
  }

  #takenEarly(): Error {
    return new Error(`it took the file before all of its ${this.#lengthBytes} bytes were sent`);
  }

  #fail(error: unknown): void {
    this.#state = 'over';
    this.#failed.reject(error);
    this.#onNews();
  }

  /**
   * A write that fails would end the socket, and with it what the server had said before it closed its end. Here such a write is never done
   * with: the connection ends by what is read, or when nothing more comes.
   */
  #readOnWhenWritesFail(): void {
    const socket = this.#socket;
    const held = (done: (error?: Error | null) => void) => (error?: Error | null) => {
      if (!error) return done();
      this.#cannotSend = true;
      setTimeout(() => this.#ended(error), this.#answer ? 0 : LINGER_MS).unref();
    };
    const write = socket._write.bind(socket);
    socket._write = (chunk: unknown, encoding, done) => write(chunk, encoding, held(done));
    const writev = socket._writev?.bind(socket);
    if (writev) socket._writev = (chunks, done) => writev(chunks, held(done));
  }
}

/** Whether an answer says that the file was taken. */
function isTaken({ status }: RawAnswer): boolean {
  return status < 300;
}
