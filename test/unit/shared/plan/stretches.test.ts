import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Root } from '../../../../shared/job/root.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { Batch } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { plan, planStretch } from '../../../../shared/plan/plan.ts';
import type { PlanCursor } from '../../../../shared/plan/planning.ts';

/** Work that is done in several invocations must come to the same as in one. */

const disk = new LocalDisk(65_536);
const { signal } = new AbortController();
let top: string;
let roots: Root[];

const files = [
  ...Array.from({ length: 40 }, (_, i) => `wide/f${i}`),
  'a/b/c/deep',
  'a/b/after',
  'a/z',
  'b/é',
  'b/😀/emoji',
  'b/_hdfs-fanout.other.0.0.1.0',
  'c/d/one',
  'c/d/two',
  'last',
];

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'hdfs-fanout-stretches-'));
  const put = async (file: string, content: string) => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  for (const file of files) await put(join(top, 'source', file), file);
  await mkdir(join(top, 'source/empty/inner'), { recursive: true });
  // Some of it is there already: equal in length, different in length, a file in a directory's place.
  await put(join(top, 'there/a/z'), 'a/z');
  await put(join(top, 'there/wide/f7'), 'longer than before');
  await put(join(top, 'there/c'), 'in the way');
  await put(join(top, 'single'), 'single');
  roots = [
    { source: join(top, 'single'), destination: join(top, 'copy/single'), kind: 'file' },
    { source: join(top, 'source'), destination: join(top, 'there'), kind: 'directory' },
    { source: join(top, 'source'), destination: join(top, 'new'), kind: 'directory' },
  ];
  await mkdir(join(top, 'copy'));
});

afterAll(() => rm(top, { recursive: true, force: true }));

/** Plans with a stop after every `entries` entries, the cursor carried over as JSON. */
async function planInStretches(entries: number, options: object): Promise<{ batches: Batch[]; stops: number }> {
  const spec = parseJobSpec({ source: 'a:/x', destination: 'b:/y', options });
  const batches: Batch[] = [];
  let from: PlanCursor | undefined;
  let taken: string[] = [];
  for (let stops = 0; ; stops++) {
    let seen = 0;
    // As an invocation that begins with an empty disk.
    using names = new NamesOnDisk();
    for (const name of taken.slice(0, from?.names)) names.add(name);
    const planned = await planStretch({
      source: disk,
      destination: disk,
      roots,
      options: spec.options,
      signal,
      emit: (batch) => Promise.resolve(void batches.push(batch)),
      makeDirectories: true,
      names,
      isOver: () => ++seen >= entries,
      from,
    });
    if (!('cursor' in planned)) return { batches, stops };
    from = JSON.parse(JSON.stringify(planned.cursor)) as PlanCursor;
    taken = [...names.after(0)];
  }
}

describe.each([{}, { force: true, preserve: true }, { filesOnly: true, force: true }])(
  'planning with %j',
  (options) => {
    it.each([1, 2, 7, 50])('comes to the same batches when it stops after every %i entries', async (entries) => {
      const whole: Batch[] = [];
      const spec = parseJobSpec({ source: 'a:/x', destination: 'b:/y', options });
      const emit = (batch: Batch) => Promise.resolve(void whole.push(batch));
      // Into directories that are not there yet, as the first stretch finds them.
      await rm(join(top, 'new'), { recursive: true, force: true });
      const planning = { source: disk, destination: disk, roots, options: spec.options, signal, emit };
      using names = new NamesOnDisk();
      const expected = await plan({ ...planning, names, makeDirectories: true });
      await rm(join(top, 'new'), { recursive: true, force: true });
      const { batches, stops } = await planInStretches(entries, options);
      expect(batches).toEqual(whole);
      expect(expected.batches).toBe(whole.length);
      expect(stops).toBeGreaterThan(0);
    });
  },
);
