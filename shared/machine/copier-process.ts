import { type ChildProcess, fork } from 'node:child_process';
import { carried } from './carried-error.ts';
import { Channel } from './channel.ts';
import type { Assignment, CopierMethods, RunnerMethods } from './copier-methods.ts';

/** The program that a copier process runs: it calls `serveAsCopier`. */
export interface CopierProgram {
  /** A JavaScript or TypeScript file. */
  readonly file: string;
  readonly args: readonly string[];
}

/** For a process whose channel was closed, until it is killed, ms. */
const EXIT_MS = 10_000;
/** As it was when this process began: libkrb5 is told by it where the tickets of this process are, which are not the copier's. */
const environment = { ...process.env };

const started = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** A copier process as the process that runs the job sees it. Does not outlive that one. */
export class CopierProcess {
  readonly #child: ChildProcess;
  readonly #channel: Channel<CopierMethods>;
  readonly #ready: Promise<unknown>;
  readonly #exited: Promise<string>;

  /** Starts it. Whether that succeeded is told by `copy`. */
  constructor({ file, args }: CopierProgram, locks: string, job: string, methods: RunnerMethods) {
    // Nothing secret is in its arguments or its environment. Its stdout is nobody's: what it has to tell comes over the channel.
    this.#child = fork(file, [...args], {
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    started.add(this.#child);
    this.#channel = new Channel(this.#child, methods);
    this.#exited = new Promise<string>((resolve) => {
      this.#child.on('error', ({ message }) => {
        if (this.#child.pid !== undefined) return;
        // It could not be started.
        this.#channel.close();
        resolve(message);
      });
      this.#child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code ?? '?'}`));
    });
    void this.#exited.then(() => started.delete(this.#child));
    this.#ready = this.#channel.call('hold', locks, job);
    this.#ready.catch(() => undefined);
  }

  /**
   * Copies until no batch is left or the signal aborts, and ends.
   * @throws what ended it, which may be an error of the job; ChannelClosedError when the process died
   */
  async copy(assignment: Assignment, signal: AbortSignal): Promise<void> {
    const abort = () => this.#channel.tell('abort', carried(signal.reason));
    signal.addEventListener('abort', abort);
    try {
      await this.#ready;
      signal.throwIfAborted();
      await this.#channel.call('copy', assignment);
    } finally {
      signal.removeEventListener('abort', abort);
      await this.end();
    }
  }

  /** Ends it, if it is there. @returns how it has ended */
  async end(): Promise<string> {
    if (this.#child.connected) this.#child.disconnect();
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_MS);
    const how = await this.#exited;
    clearTimeout(killing);
    return how;
  }
}
