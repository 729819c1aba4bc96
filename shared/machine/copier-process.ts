import { type ChildProcess, fork } from 'node:child_process';
import packageJson from '../../package.json' with { type: 'json' };
import { FanoutError, messageOf } from '../errors.ts';
import { carried } from './carried-error.ts';
import { Channel, ChannelClosedError } from './channel.ts';
import type { Assignment, CopierMethods, RunnerMethods } from './copier-methods.ts';

/** The program that a copier process runs: it calls `serveAsCopier`. */
export interface CopierProgram {
  /** A JavaScript or TypeScript file. */
  readonly file: string;
  readonly args: readonly string[];
  /** Of Node and V8, beside those of this process. */
  readonly flags: readonly string[];
  /** Called when a process was killed: it could not remove what it keeps on the disk. Must not wait. */
  readonly onKilled?: (pid: number) => void;
}

/** The process did not come to where it could be given work. */
export class CopierStartError extends FanoutError {
  override readonly name = 'CopierStartError';
  constructor(why: string) {
    super(`could not be started: ${why}`, { disposition: 'fail-job' });
  }
}

/** For a process until it takes work, until it is killed, ms: Node starts in a tenth of a second where the machine is not overloaded. */
const START_MS = 60_000;
/** For taking back what was begun after an abort, until it is killed, ms. */
const ABORT_MS = 30_000;
/** For a process whose channel was closed, until it is killed, ms. */
const EXIT_MS = 10_000;
/** Node's exit code for a flag that it does not know. */
const BAD_FLAG = 9;
/** As it was when this process began: libkrb5 is told by it where the tickets of this process are, which are not the copier's. */
const environment = { ...process.env };

/** What is to be done about each at the end of this process. */
const started = new Map<ChildProcess, () => void>();
process.on('exit', () => {
  for (const child of started.keys()) child.kill('SIGKILL');
  for (const clear of started.values()) clear();
});

/** A copier process as the process that runs the job sees it. Does not outlive that one. */
export class CopierProcess {
  readonly #child: ChildProcess | undefined;
  readonly #channel: Channel<CopierMethods> | undefined;
  readonly #ready: Promise<unknown>;
  readonly #exited: Promise<string>;
  #hasEnded = false;

  /** Starts it. Whether that succeeded is told by `copy`. */
  constructor(program: CopierProgram, locks: string, job: string, methods: RunnerMethods) {
    try {
      this.#child = start(program);
    } catch (error) {
      // Out of memory: most other errors come as an event.
      this.#exited = Promise.resolve(messageOf(error));
      this.#ready = Promise.reject(new CopierStartError(messageOf(error)));
      this.#ready.catch(() => undefined);
      this.#hasEnded = true;
      return;
    }
    const child = this.#child;
    const clear = () => child.pid !== undefined && program.onKilled?.(child.pid);
    started.set(child, clear);
    const channel = new Channel<CopierMethods>(child, methods);
    this.#channel = channel;
    this.#exited = new Promise<string>((resolve) => {
      child.on('error', ({ message }) => {
        if (child.pid !== undefined) return;
        // It could not be started.
        channel.close();
        resolve(message);
      });
      child.once('exit', (code, signal) => {
        if (signal) clear();
        resolve(signal ? `killed by ${signal}` : `exit code ${code ?? '?'}`);
      });
    });
    void this.#exited.then(() => {
      this.#hasEnded = true;
      started.delete(child);
    });
    const killing = setTimeout(() => child.kill('SIGKILL'), START_MS);
    this.#ready = channel.call('hold', locks, job, packageJson.version).finally(() => clearTimeout(killing));
    this.#ready.catch(() => undefined);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether it has ended because this Node does not know one of its flags. */
  get refusedItsFlags(): boolean {
    return this.#child?.exitCode === BAD_FLAG;
  }

  /**
   * Copies until no batch is left or the signal aborts, and ends. One that does not end soon after an abort is killed.
   * @throws what ended it, which may be an error of the job; CopierStartError; ChannelClosedError when the process died
   */
  async copy(assignment: Assignment, signal: AbortSignal): Promise<void> {
    let killing: NodeJS.Timeout | undefined;
    const abort = () => {
      this.#channel?.tell('abort', carried(signal.reason));
      killing = setTimeout(() => this.#child?.kill('SIGKILL'), ABORT_MS);
    };
    signal.addEventListener('abort', abort);
    try {
      await this.#started();
      signal.throwIfAborted();
      await this.#channel?.call('copy', assignment);
    } finally {
      signal.removeEventListener('abort', abort);
      clearTimeout(killing);
      await this.end();
    }
  }

  /** Ends it, if it is there. @returns how it has ended */
  async end(): Promise<string> {
    if (this.#child?.connected) this.#child.disconnect();
    const killing = setTimeout(() => this.#child?.kill('SIGKILL'), EXIT_MS);
    const how = await this.#exited;
    clearTimeout(killing);
    return how;
  }

  async #started(): Promise<void> {
    try {
      await this.#ready;
    } catch (error) {
      throw new CopierStartError(error instanceof ChannelClosedError ? await this.end() : messageOf(error));
    }
  }
}

function start({ file, args, flags }: CopierProgram): ChildProcess {
  // What this process was started with goes for its copiers too, and wins over the flags; but they are not to wait for a debugger.
  const ours = process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
  // Nothing secret is in its arguments or its environment. Its stdout is nobody's: what it has to tell comes over the channel.
  return fork(file, [...args], {
    execArgv: [...flags, ...ours],
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}
