import type { Socket } from 'node:net';
import type { Connector } from '../connector.ts';
import { RawBody } from './raw-body.ts';

const UNUSED = new Error('the connection is not used');

/**
 * A connection to a datanode for one question, which may be begun before there is anything to ask: over a long way it takes as long as the
 * answer, and with TLS longer. A failure to connect is told to whoever asks. Where nobody asks it has to be disposed of.
 */
export class DatanodeConnection implements Disposable {
  /** The answer. */
  readonly body: RawBody;
  readonly #stop = new AbortController();
  readonly #socket: Promise<Socket>;
  #isConnected = false;
  #unhook: () => void = () => undefined;

  /** @param idleMs  for how long it may wait for a question */
  constructor(connector: Connector, origin: string, wantedBytes: number, idleMs: number) {
    this.body = new RawBody(wantedBytes);
    this.#socket = this.#connect(connector, origin, idleMs);
    this.#socket.catch(() => undefined);
  }

  async #connect(connector: Connector, origin: string, idleMs: number): Promise<Socket> {
    const { signal } = this.#stop;
    const socket = await connector.connect(origin, signal, this.body.onread);
    this.#isConnected = true;
    this.body.attach(socket, idleMs);
    // It was ended in the moment between.
    if (signal.aborted) this.body.destroy(signal.reason as Error);
    return socket;
  }

  /**
   * Sends a request's head, once. The signal then ends the connection.
   * @param idleMs  for how long nothing may come while the answer is awaited or read
   * @throws what kept it from connecting; the signal's reason
   */
  async ask(head: string, signal: AbortSignal, idleMs: number): Promise<void> {
    const stop = () => this.#end(signal.reason as Error);
    this.#unhook = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop, { once: true });
    const socket = await this.#socket;
    signal.throwIfAborted();
    socket.once('close', this.#unhook);
    socket.setTimeout(idleMs);
    socket.write(head);
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #end(reason?: Error): void {
    this.#unhook();
    // One that is connected is the body's to end.
    if (!this.#isConnected) this.#stop.abort(reason ?? UNUSED);
    this.body.destroy(reason);
  }
}
