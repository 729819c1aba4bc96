// One JVM of the bed: the daemons it hosts, its log, its end and its new beginning.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Daemon } from './cluster.ts';
import type { Hadoop } from './jars.ts';
import { type JvmOptions, daemonFlags, hadoopEnvironment } from './jvm.ts';
import { missingTool, toolPath } from './tools.ts';

export interface HostOptions extends JvmOptions {
  hadoop: Hadoop;
  dir: string;
  /** Deleted by the JVM when the process that started it has died. */
  removed?: string | undefined;
}

/** In the command line of every JVM of the bed at `dir`. */
export const markOf = (dir: string): string => `-Dbed.dir=${dir} `;

/** Without the bed's own questions, which are many and would leave no room for what matters. */
export const tailOf = (log: string, lines: number): string => {
  try {
    const all = readFileSync(log, 'utf8').trimEnd().split('\n');
    return all
      .filter((line) => !line.includes('"GET /jmx?'))
      .slice(-lines)
      .join('\n');
  } catch {
    return '';
  }
};

const useOf = ({ archive }: Hadoop): JvmOptions['archive'] => (archive === undefined ? undefined : { use: archive });

export class Host {
  readonly name: string;
  readonly daemons: Daemon[];
  readonly log: string;
  readonly #options: HostOptions;
  #child: ChildProcess | undefined;
  #failure: Error | undefined;
  #away = false;

  constructor(name: string, daemons: Daemon[], options: HostOptions) {
    this.name = name;
    this.daemons = daemons;
    this.log = join(options.dir, 'logs', `${name}.log`);
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
    if (pid === undefined) return missingTool(toolPath('java'), 'does not start');
    return new Error(`the JVM of ${this.#hosted()} has ended (${signalCode ?? `exit code ${exitCode}`})`);
  }

  #hosted(): string {
    return this.daemons.map(({ name }) => name).join(', ');
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} is running`);
    this.#away = false;
    const log = openSync(this.log, 'a');
    try {
      this.#spawn(log);
    } finally {
      closeSync(log);
    }
  }

  #spawn(log: number): void {
    const { hadoop, dir, removed, archive = useOf(hadoop) } = this.#options;
    const marks = [`-Dbed.host=${this.name}`, markOf(dir).trim()];
    const [first] = this.daemons;
    const classpath = [hadoop.classpath, ...(first ? [first.configuration] : [])].join(delimiter);
    const flags = ['--with-parent', ...(removed === undefined ? [] : ['--remove', removed])];
    const hosted = this.daemons.map(({ kind, configuration }) => `${kind}=${configuration}`);
    const args = [
      ...daemonFlags({ ...this.#options, archive }),
      ...marks,
      '-cp',
      classpath,
      'Launcher',
      ...flags,
      ...hosted,
    ];
    // A session of its own: Ctrl-C in a terminal reaches the parent only, which then ends its daemons in its own way.
    const env = hadoopEnvironment();
    const child = spawn(toolPath('java'), args, { stdio: ['pipe', log, log], detached: true, env });
    child.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code === 'ENOENT' ? missingTool(toolPath('java')) : error;
    });
    child.stdin?.on('error', () => undefined); // it has ended: its exit tells
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
