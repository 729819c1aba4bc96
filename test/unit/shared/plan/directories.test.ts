import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { FanoutError } from '../../../../shared/errors.ts';
import { fileOf, type FileUnit } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import { parentOf } from '../../../../shared/storage/path.ts';
import type { FileStatus, Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';
import { status } from '../../../support/statuses.ts';
import type { PlanCursor, Planning } from '../../../../shared/plan/planning.ts';
import { planStretch } from '../../../../shared/plan/plan.ts';

/** A destination that takes its time to make directories, and tells how they were made. */
class Destination extends LocalDisk {
  readonly made = new Set<string>(['/']);
  /** Directories that were begun while their parent was not made. */
  readonly early: string[] = [];
  atOnce = 0;
  mostAtOnce = 0;
  readonly #refusals: ReadonlyMap<string, FanoutError>;

  constructor(refusals: ReadonlyMap<string, FanoutError> = new Map()) {
    super(65_536);
    this.#refusals = refusals;
  }

  override stat(): Promise<FileStatus | undefined> {
    return Promise.resolve(undefined);
  }

  override async makeDirectory(path: string): Promise<void> {
    if (!this.made.has(parentOf(path))) this.early.push(path);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await sleep(2);
    this.atOnce -= 1;
    const refusal = this.#refusals.get(path);
    if (refusal) throw refusal;
    this.made.add(path);
  }
}

const refusalOf = (path: string, code: 'quota' | 'token') =>
  new StorageError(code, code, 'refused', { operation: 'MKDIRS', path });

async function planOf(
  files: readonly string[] | ListedTree,
  destination: Destination,
  { options = {}, ...stretch }: Pick<Planning, 'isOver' | 'from'> & { options?: object } = {},
) {
  const units: FileUnit[] = [];
  using names = new NamesOnDisk();
  const planned = await planStretch({
    source: files instanceof ListedTree ? files : new ListedTree(files, namenodeOrder, 100),
    destination,
    roots: [{ source: '/', destination: '/copy', kind: 'directory' }],
    options: parseJobSpec({ source: 'a:/', destination: 'b:/copy', options }).options,
    signal: never,
    emit: (batch) => Promise.resolve(void units.push(...batch.units.map(fileOf))),
    makeDirectories: true,
    names,
    ...stretch,
  });
  return { planned, units };
}

const siblings = Array.from({ length: 50 }, (_, index) => `d${index}/below/x`);

describe('directories of a plan', () => {
  it('are made after the ones they are in, and eight at once beside each other', async () => {
    const destination = new Destination();
    await planOf(siblings, destination);
    expect(destination.made.size).toBe(1 + 1 + 100);
    expect(destination.early).toEqual([]);
    const wide = new Destination();
    await planOf(
      siblings.map((path) => path.replace('below/', '')),
      wide,
    );
    expect(wide.mostAtOnce).toBe(8);
  });

  it('that cannot be made are failed files, and the plan goes on', async () => {
    const refusals = new Map(['/copy/d3', '/copy/d4/below'].map((path) => [path, refusalOf(path, 'quota')]));
    const destination = new Destination(refusals);
    const { units, planned } = await planOf(siblings, destination);
    const failed = units.filter(({ decision }) => decision === 'fail');
    expect(failed.map(({ path, lasting }) => ({ path, lasting })).sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'd3', lasting: true },
      { path: 'd4/below', lasting: true },
    ]);
    expect(planned).toMatchObject({ files: 52 });
  });

  it('end the plan when one of them fails the job, and no more are made', async () => {
    const destination = new Destination(new Map([['/copy/d10', refusalOf('/copy/d10', 'token')]]));
    await expect(planOf(siblings, destination)).rejects.toMatchObject({ code: 'token' });
    expect(destination.made.size).toBeLessThan(40);
  });

  it('are all made when the plan stops', async () => {
    const destination = new Destination();
    let names = 0;
    const { planned } = await planOf(siblings, destination, { isOver: () => ++names === 40 });
    expect(planned).toHaveProperty('cursor');
    expect(destination.atOnce).toBe(0);
  });

  it('are at rest when the plan throws, and no more are begun', async () => {
    const tree = new ListedTree(siblings, namenodeOrder, 10);
    tree.refusedBehind.set('/', 2);
    const destination = new Destination();
    await expect(planOf(tree, destination)).rejects.toMatchObject({ code: 'denied' });
    expect(destination.atOnce).toBe(0);
    const made = destination.made.size;
    await sleep(20);
    expect(destination.made.size).toBe(made);
  });

  it('end the plan at the next name when one of them fails the job', async () => {
    // Only the first directory is to be made.
    const there = siblings.map((path) => `/copy/z/${path}`);
    class Standing extends Destination {
      readonly #tree = new ListedTree(there, namenodeOrder, 1000);
      override stat(path = '/'): Promise<FileStatus | undefined> {
        return this.#tree.stat(path);
      }
      override list(...asked: Parameters<ListedTree['list']>) {
        return this.#tree.list(...asked);
      }
      override requireWritable(): Promise<void> {
        return Promise.resolve();
      }
      override makeDirectory(path: string): Promise<void> {
        return Promise.reject(refusalOf(path, 'token'));
      }
      get asked(): readonly string[] {
        return this.#tree.asked;
      }
    }
    const destination = new Standing();
    await expect(planOf(['a/x', ...siblings.map((path) => `z/${path}`)], destination)).rejects.toMatchObject({
      code: 'token',
    });
    expect(destination.asked.length).toBeLessThan(20);
  });
});

describe('a directory whose erasure coding policy was refused', () => {
  /** All directories but the root have a policy. */
  class Coded extends ListedTree {
    readonly hadoop = {} as Storage['hadoop'] & object;
    override async *list(...asked: Parameters<ListedTree['list']>) {
      const coded = { ecPolicy: 'RS-6-3-1024k', stripe: { dataUnits: 6, cellBytes: 2 ** 20 } };
      for await (const page of super.list(...asked))
        yield page.map((entry) => (entry.kind === 'directory' ? { ...entry, ...coded } : entry));
    }
  }
  class Refusing extends Destination {
    readonly hadoop = {
      setErasureCodingPolicy: (path: string) =>
        Promise.reject(new StorageError('invalid', 'policy', 'refused', { operation: 'SETECPOLICY', path })),
    } as Partial<Storage['hadoop'] & object> as Storage['hadoop'] & object;
    override stat(path = '/'): Promise<FileStatus | undefined> {
      const replicated = status({ kind: 'directory', ecPolicy: 'REPLICATION' });
      return Promise.resolve(this.made.has(path) ? replicated : undefined);
    }
  }

  it('gives its files none when the plan goes on in it', async () => {
    const source = new Coded(
      Array.from({ length: 9 }, (_, index) => `/a/${index}`),
      namenodeOrder,
      1,
    );
    const [destination, options] = [new Refusing(), { attributes: ['ecpolicy'] }];
    let names = 0;
    const { planned } = await planOf(source, destination, { isOver: () => ++names === 3, options });
    const from = (planned as { cursor: PlanCursor }).cursor;
    const { planned: whole, units } = await planOf(source, destination, { from, options });
    expect(whole).toMatchObject({ files: 9 });
    expect(units).toHaveLength(9);
    expect(units.slice(3).filter(({ newStripe }) => newStripe)).toEqual([]);
  });
});
