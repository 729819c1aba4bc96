// One process of the bed: what it runs, its log, its end and its new beginning.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';

export interface Command {
  program: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

export interface HostOptions {
  name: string;
  /** The names of what it hosts. */
  daemons: string[];
  dir: string;
  /** It ends when its standard input does, unless the line "release" came before. */
  command: Command;
  /** Where a JVM tells on which port it can be asked (control.ts). */
  control?: string | undefined;
  /** What to say if the program is not there. */
  missing?: (problem?: string) => Error;
}

/** In the command line of every process of the bed at `dir`. */
export const markOf = (dir: string): string => `${dir}/`;

export const tailOf = (log: string, lines: number): string => {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
};

export class Host {
  readonly name: string;
  readonly daemons: string[];
  readonly log: string;
  readonly control: string | undefined;
  readonly #options: HostOptions;
  #child: ChildProcess | undefined;
  #failure: Error | undefined;
  #away = false;

  constructor(options: HostOptions) {
    this.name = options.name;
    this.daemons = options.daemons;
    this.log = join(options.dir, 'logs', `${options.name}.log`);
    this.control = options.control;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Whether kill() has ended or suspended it. */
  get away(): boolean {
    return this.#away;
  }

  /** Why it does not run. */
  get failure(): Error | undefined {
    if (this.running) return undefined;
    if (this.#failure) return this.#failure;
    const { pid, exitCode, signalCode } = this.#child ?? {};
    // Without an id it never was a process, even if the reason has not been told yet.
    if (pid === undefined) return this.#missing('does not start');
    return new Error(`the process of ${this.daemons.join(', ')} has ended (${signalCode ?? `exit code ${exitCode}`})`);
  }

  #missing(problem = 'not found'): Error {
    return this.#options.missing?.(problem) ?? new Error(`${this.#options.command.program} ${problem}`);
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} is running`);
    this.#away = false;
    if (this.control !== undefined) rmSync(this.control, { force: true }); // of its former life
    const log = openSync(this.log, 'a');
    try {
      this.#spawn(log);
    } finally {
      closeSync(log);
    }
  }

  #spawn(log: number): void {
    const { program, args, env } = this.#options.command;
    // A session of its own: Ctrl-C in a terminal reaches the parent only, which then ends its daemons in its own way.
    const child = spawn(program, args, { stdio: ['pipe', log, log], detached: true, env });
    child.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code === 'ENOENT' ? this.#missing() : error;
    });
    child.stdin?.on('error', () => undefined); // it has ended: its exit tells
    child.on('exit', () => child.stdin?.end('release\n')); // nothing is left to watch over
    // A bed that nobody stops must not keep its process from ending; that end then stops the bed.
    child.unref();
    (child.stdin as Socket | null)?.unref();
    this.#child = child;
  }

  /** From now on it outlives the process that started it. */
  async release(): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin?.writable) await new Promise<void>((done) => stdin.end('release\n', done));
  }

  #signal(name: NodeJS.Signals): void {
    // A process that never started has a handle with the id 0, and a signal to that reaches this process's own group.
    if (this.running) this.#child?.kill(name);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) throw new Error(`${this.name} is not running`);
    // SIGQUIT makes a JVM log its threads and go on.
    this.#away = signal !== 'SIGCONT' && signal !== 'SIGQUIT';
    this.#signal(signal);
    if (!this.#away || signal === 'SIGSTOP') return;
    if (!(await this.ended(30_000))) throw new Error(`${this.name} goes on after ${signal}`);
  }

  /** Resolves to whether it has ended in that time. */
  ended(withinMs: number): Promise<boolean> {
    const child = this.#child;
    if (!child || !this.running) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        child.off('exit', settle);
        child.unref();
        resolve(!this.running);
      };
      const timer = setTimeout(settle, withinMs);
      child.ref();
      child.on('exit', settle);
    });
  }

  async stop(patienceMs = 5000): Promise<void> {
    this.#signal('SIGTERM');
    this.#signal('SIGCONT'); // a suspended process acts on no other signal
    if (await this.ended(patienceMs)) return;
    this.#signal('SIGKILL');
    await this.ended(60_000);
  }
}
