import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { GivenAnswer } from './scripted-server.ts';

/** Turns of the event loop, and ms, in which nothing comes: the client then waits for an answer. */
const QUIET = { turns: 30, ms: 30 };

/** A request, and the round that it waits in for its answer. */
export interface Trip {
  readonly round: number;
  /** WebHDFS operation and where it was asked: `OPEN at namenode`. */
  readonly asked: string;
}

/**
 * Servers that are one round trip away, without a clock: what has come is answered when nothing more comes, all at once, and that is one
 * round. A new connection is of use one round later. So the round of a request tells how many round trips came before it, one after the
 * other, however fast the machine is.
 */
export class RoundTrips implements AsyncDisposable {
  readonly trips: Trip[] = [];
  readonly #servers = new Map<string, Server>();
  #made = new WeakMap<Socket, number>();
  #held: { readonly round: number; readonly answer: () => void }[] = [];
  #round = 1;
  #arrivals = 0;

  /** @returns the server's URL */
  async server(name: string, script: (operation: string, url: string) => GivenAnswer): Promise<string> {
    const server = createServer((request, response) => {
      const { socket, url = '' } = request;
      const operation = /[?&]op=(\w+)/.exec(url)?.[1] ?? '';
      request.resume().on('end', () => {
        this.#arrivals += 1;
        const round = Math.max(this.#round, (this.#made.get(socket) ?? 0) + 1);
        this.trips.push({ round, asked: `${operation} at ${name}` });
        const { status = 200, headers, json, text = '' } = script(operation, url);
        const body = json === undefined ? text : JSON.stringify(json);
        const answer = () =>
          response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
        this.#held.push({ round, answer });
      });
    });
    server.on('connection', (socket) => {
      this.#arrivals += 1;
      this.#made.set(socket, this.#round);
    });
    this.#servers.set(name, server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Answers, round by round, until the work is done; its rounds count from 1. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    // A client may keep a connection for a turn before it uses it again.
    await this.#quiet();
    this.trips.length = 0;
    this.#made = new WeakMap();
    this.#round = 1;
    const state = { isOver: false };
    const done = work().finally(() => (state.isOver = true));
    done.catch(() => undefined);
    while (!state.isOver) {
      await this.#quiet();
      const due = this.#held.filter(({ round }) => round <= this.#round);
      this.#held = this.#held.filter(({ round }) => round > this.#round);
      this.#round += 1;
      for (const { answer } of due) answer();
      await turn();
    }
    return done;
  }

  async #quiet(): Promise<void> {
    let seen: number;
    do {
      seen = this.#arrivals;
      await sleep(QUIET.ms);
      for (let turns = 0; turns < QUIET.turns; turns++) await turn();
    } while (seen !== this.#arrivals);
  }

  /** Connections to one server that are open at this moment. */
  connections(name: string): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#servers.get(name)?.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
