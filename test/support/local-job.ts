import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../../shared/copy/progress.ts';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { type Job, newJob } from '../../shared/job/job.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { silentLog } from '../../shared/log.ts';
import type { CopierMeans } from '../../shared/machine/copier-pool.ts';
import { DestinationLock } from '../../shared/machine/destination-lock.ts';
import { execute, type Execution } from '../../shared/machine/executor.ts';
import { openState, type State } from '../../shared/machine/state.ts';

export const LENGTH = 1000;

/** The command line's own program, as a process that copies. */
export const copiers: CopierMeans = {
  program: { file: join(import.meta.dirname, '../../cli/main.ts'), args: ['--copier-process'], flags: [] },
  areAskedFor: true,
  atMost: 2,
  leastThreads: 1,
  clusters: [],
};

/** Records that say to so many copies that they may go on, and to the next ones only when they are released: these wait before their CREATE, or before their rename. */
export function stalling(state: State, answers: number) {
  const stalled = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  let asked = 0;
  const { store } = state;
  const stallingStore = new Proxy(store, {
    get: (of, name) => {
      const member = Reflect.get(of, name, of) as unknown;
      if (typeof member !== 'function') return member;
      if (name !== 'requireOwner') return member.bind(of) as unknown;
      return async (...given: Parameters<typeof store.requireOwner>) => {
        if (++asked > answers) {
          stalled.resolve(undefined);
          await released.promise;
        }
        await of.requireOwner(...given);
      };
    },
  });
  return {
    state: { ...state, store: stallingStore },
    stalled: stalled.promise,
    release: () => released.resolve(undefined),
  };
}

/** A job `job` that copies small files on this disk, by copier processes. */
export class LocalJob implements Disposable {
  readonly top: string;
  readonly from: string;
  readonly to: string;
  readonly state: State;

  /** @param top  of a job that was made before */
  constructor(top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-local-'))) {
    this.top = top;
    [this.from, this.to] = [join(top, 'source'), join(top, 'destination')];
    this.state = openState({ HDFS_FANOUT_HOME: join(top, 'home') });
  }

  async create(files: number, options: object = {}): Promise<Job> {
    mkdirSync(this.from);
    for (let file = 0; file < files; file++) writeFileSync(join(this.from, `${file}`), Buffer.alloc(LENGTH, file));
    const spec = parseJobSpec({ source: `local:${this.from}`, destination: `local:${this.to}`, options });
    const job = newJob('job', spec, [{ source: this.from, destination: this.to, kind: 'directory' }], 0);
    await this.state.store.create(job);
    return job;
  }

  /** Runs the job as the command line does. */
  async run(changes: Partial<Execution> = {}): Promise<Job> {
    const job = await this.state.store.get('job');
    if (!job) throw new Error('there is no job');
    const lock = DestinationLock.acquire(this.state.locks, 'job', [{ namespace: 'disk', path: this.to }]);
    try {
      const disk = new LocalDisk(65_536);
      const how = { progress: new Progress(), log: silentLog, onOutcome: () => undefined, copiers };
      const { signal } = new AbortController();
      return await execute(job, { state: this.state, source: disk, destination: disk, signal, ...how, ...changes });
    } finally {
      lock.release();
    }
  }

  /** Names at the destination. */
  copied(): readonly string[] {
    return existsSync(this.to) ? readdirSync(this.to) : [];
  }

  /** Names of files that are not whole. */
  halfDone(): readonly string[] {
    return this.copied().filter((name) => name.startsWith('_hdfs-fanout.'));
  }

  async counters(): Promise<Record<string, number>> {
    return Object.fromEntries(await this.state.store.counters('job'));
  }

  [Symbol.dispose](): void {
    this.state.store.close();
    rmSync(this.top, { recursive: true, force: true });
  }
}
