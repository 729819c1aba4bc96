import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { FanoutError } from '../../../../shared/errors.ts';
import type { Unit } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';
import { StorageError } from '../../../../shared/storage/errors.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import { parentOf } from '../../../../shared/storage/path.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';
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

async function planOf(files: readonly string[], destination: Destination, isOver?: () => boolean) {
  const units: Unit[] = [];
  using names = new NamesOnDisk();
  const planned = await planStretch({
    source: new ListedTree(files, namenodeOrder, 100),
    destination,
    roots: [{ source: '/', destination: '/copy', kind: 'directory' }],
    options: parseJobSpec({ source: 'a:/', destination: 'b:/copy' }).options,
    signal: never,
    emit: (batch) => Promise.resolve(void units.push(...batch.units)),
    makeDirectories: true,
    names,
    ...(isOver ? { isOver } : {}),
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
    const { planned } = await planOf(siblings, destination, () => ++names === 40);
    expect(planned).toHaveProperty('cursor');
    expect(destination.atOnce).toBe(0);
  });
});
