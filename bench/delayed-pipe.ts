import type { Socket } from 'node:net';

interface Waiting {
  readonly dueMs: number;
  readonly pass: () => void;
}

interface Delay {
  readonly delayMs: number;
  /** Nothing is passed on before, by `performance.now()`. */
  readonly notBeforeMs: number;
  /** What is passed on in place of a piece. */
  readonly change?: (piece: Buffer) => Buffer;
}

/** One direction of a connection: bytes, its end and its breaking off reach the other socket in their order, all of them later by the same time. */
export class DelayedPipe {
  readonly #delay: Delay;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, delay: Delay) {
    this.#delay = delay;
    const { change = (piece: Buffer) => piece } = delay;
    from.on('data', (piece: Buffer) => {
      this.#wait(() => {
        if (to.destroyed || to.write(change(piece)) || from.isPaused()) return;
        from.pause();
        to.once('drain', () => from.resume());
      });
    });
    from.on('end', () => this.#wait(() => to.end()));
    from.on('error', () => this.#wait(() => to.resetAndDestroy()));
    from.on('close', () => {
      // Whoever is gone altogether reads no more.
      if (!from.readableEnded) this.#wait(() => to.destroy());
    });
  }

  #wait(pass: () => void): void {
    const { delayMs, notBeforeMs } = this.#delay;
    this.#waiting.push({ dueMs: Math.max(performance.now() + delayMs, notBeforeMs), pass });
    if (this.#waiting.length === 1) this.#schedule();
  }

  #schedule(): void {
    const [first] = this.#waiting;
    if (!first) return;
    const leftMs = Math.max(1, Math.ceil(first.dueMs - performance.now()));
    this.#timer ??= setTimeout(() => this.#passDue(), leftMs);
  }

  #passDue(): void {
    this.#timer = undefined;
    for (;;) {
      const [first] = this.#waiting;
      if (!first || first.dueMs > performance.now()) break;
      this.#waiting.shift();
      first.pass();
    }
    this.#schedule();
  }
}
