import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { TransportError } from '../../../../shared/errors.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec, withOptions } from '../../../../shared/job/spec.ts';
import { silentLog } from '../../../../shared/log.ts';
import { execute } from '../../../../shared/machine/executor.ts';
import { openState, type State } from '../../../../shared/machine/state.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';

const { signal } = new AbortController();
const disk = new LocalDisk(65_536);
let top: string;
let state: State;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-executor-'));
  mkdirSync(join(top, 'source'));
  state = openState({ HDFS_FANOUT_HOME: join(top, 'home') });
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

/** Copies `files` files of 1,000 bytes from `source` to `destination` under the temporary directory. */
async function executed(files: number, options: object, source: Storage, destination: Storage, records = state) {
  for (let file = 0; file < files; file++) writeFileSync(join(top, 'source', `${file}`), Buffer.alloc(1000, 7));
  const [from, to] = [join(top, 'source'), join(top, 'destination')];
  const spec = parseJobSpec({ source: `local:${from}`, destination: `local:${to}`, options });
  const job = newJob('job', spec, [{ source: from, destination: to, kind: 'directory' }], 0);
  await state.store.create(job);
  const told = { progress: new Progress(), log: silentLog, onOutcome: () => undefined };
  return execute(job, { state: records, source, destination, signal, ...told });
}

describe('a file that is skipped after a try that could not be deleted', () => {
  /** Refuses the first deletions. */
  const reluctant = (own: Partial<Storage> = {}): Storage => {
    let deletions = 0;
    return decorated(disk, {
      ...own,
      delete(path) {
        if (++deletions > 1) return disk.delete(path);
        return Promise.reject(new TransportError('the namenode is away', { operation: 'DELETE', path }, {}));
      },
    });
  };

  it('leaves no temporary file behind when somebody took its name', async () => {
    const destination = reluctant({
      async write(path, body, options, both) {
        const written = await disk.write(path, body, options, both);
        writeFileSync(join(top, 'destination/0'), 'of somebody else');
        return written;
      },
    });
    const ended = await executed(1, { existing: 'skip' }, disk, destination);
    expect(ended.outcome).toBe('Successful');
    expect((await state.store.counters('job')).get('skipped.exists')).toBe(1);
    expect(readdirSync(join(top, 'destination'))).toEqual(['0']);
  });

  it('leaves no temporary file behind when somebody writes the source', async () => {
    const written = decorated(disk, { closedLength: () => Promise.resolve('open' as const) });
    const ended = await executed(1, { openFiles: 'skip' }, written, reluctant());
    expect(ended.outcome).toBe('Successful');
    expect((await state.store.counters('job')).get('skipped.open for writing')).toBe(1);
    expect(readdirSync(join(top, 'destination'))).toEqual([]);
  });
});

describe('a job whose manifest cannot be read to its end', () => {
  it('ends with nothing at work', async () => {
    let atWork = 0;
    const destination = decorated(disk, {
      async write(path, body, options, both) {
        atWork += 1;
        try {
          await sleep(50);
          return await disk.write(path, body, options, both);
        } finally {
          atWork -= 1;
        }
      },
    });
    const { manifests } = state;
    const read: typeof manifests.read = async function* (...from) {
      let lines = 0;
      for await (const line of manifests.read(...from)) {
        if (++lines > 1) throw new Error('the disk is broken');
        yield line;
      }
    };
    const broken = new Proxy(manifests, {
      get: (of, name) => {
        const member = name === 'read' ? read : (Reflect.get(of, name, of) as unknown);
        return typeof member === 'function' ? (member.bind(of) as unknown) : member;
      },
    });
    const running = executed(40, { threads: 20 }, disk, destination, { ...state, manifests: broken });
    await expect(running).rejects.toThrow('the disk is broken');
    expect(atWork).toBe(0);
  });
});

describe('a job of more batches than transfers', () => {
  it('opens a batch only when the ones before leave transfers idle', async () => {
    const claimed: number[] = [];
    const { store } = state;
    const counting = new Proxy(store, {
      get: (of, name) => {
        const member = Reflect.get(of, name, of) as unknown;
        if (typeof member !== 'function') return member;
        return (...given: unknown[]): unknown => {
          if (name === 'claim') claimed.push(Number(given[1]));
          return Reflect.apply(member, of, given);
        };
      },
    });
    const open: number[] = [];
    const destination = decorated(disk, {
      async write(path, body, options, both) {
        // What was opened while the first files are being written.
        await sleep(5);
        open.push(claimed.length);
        return disk.write(path, body, options, both);
      },
    });
    const ended = await executed(100, { threads: 2 }, disk, destination, { ...state, store: counting });
    expect(ended.outcome).toBe('Successful');
    expect(claimed.length).toBeGreaterThan(5);
    expect(open.slice(0, 4)).toEqual([1, 1, 1, 1]);
    expect(open.at(-1)).toBe(claimed.length);
  });
});

describe('transfers at once', () => {
  it('are changed by another process while the job runs', async () => {
    let [atWork, most] = [0, 0];
    let isChanged = false;
    const { store } = state;
    const destination = decorated(disk, {
      async write(path, body, options, both) {
        atWork += 1;
        most = Math.max(most, atWork);
        if (!isChanged) {
          isChanged = true;
          expect(atWork).toBe(1);
          const job = await store.get('job');
          if (job) await store.update('job', { spec: withOptions(job.spec, { threads: 4 }) });
        }
        await sleep(40);
        atWork -= 1;
        return disk.write(path, body, options, both);
      },
    });
    const ended = await executed(100, { threads: 1 }, disk, destination);
    expect(ended.outcome).toBe('Successful');
    expect((await store.get('job'))?.spec.options.threads).toBe(4);
    expect(most).toBe(4);
  });
});
