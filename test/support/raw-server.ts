import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** What a raw server does with a connection. */
export type Serve = (connection: RawConnection) => unknown;

/** A connection as its server has it: what has come, and what is done next. */
export class RawConnection {
  readonly socket: Socket;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      this.#pieces.push(bytes);
      this.#bytes += bytes.length;
      this.#wake();
    });
  }

  /** All that has come. */
  get received(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** Waits until so many bytes of a request's body have come. @returns what has come of it */
  async body(bytes: number): Promise<Buffer> {
    for (let headBytes = 0; ;) {
      if (headBytes === 0) headBytes = this.received.indexOf('\r\n\r\n') + 4;
      if (headBytes === 3) headBytes = 0;
      else if (this.#bytes >= headBytes + bytes) return this.received.subarray(headBytes);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Forgets what has come: another request follows. */
  forget(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}

/** A server that speaks as its test tells it to, byte by byte: for answers that no HTTP server gives. */
export class RawServer implements AsyncDisposable {
  readonly url: string;
  readonly connections: RawConnection[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  /** @param serve  called for each connection */
  static async start(serve: Serve): Promise<RawServer> {
    const listener = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new RawConnection(socket);
      server.connections.push(connection);
      void serve(connection);
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const server = new RawServer(listener);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
