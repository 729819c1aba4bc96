import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { RefusedError } from '../../../../shared/errors.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { plan } from '../../../../shared/plan/plan.ts';

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-plan-'));
afterAll(() => rmSync(top, { recursive: true }));

class Refusal extends RefusedError {
  override readonly disposition = 'fail-unit' as const;
}

/** As many as a batch holds. */
const SKIPPED = 1000;
const FILES = 200;

it('emits one batch at a time, in order, also when a directory fails beside the walk', async () => {
  mkdirSync(join(top, 'tree/d'), { recursive: true });
  mkdirSync(join(top, 'copy'));
  let refuse: () => void = () => undefined;
  const refused = new Promise<never>((_, reject) => (refuse = () => reject(new Refusal('no room'))));
  refused.catch(() => undefined);
  /** The directory `d` holds what fills a batch, then files; between the two it turns out that it cannot be made. */
  class Source extends LocalDisk {
    override async *list(directory: string, signal: AbortSignal): AsyncIterable<readonly FileStatus[]> {
      const status = await this.stat(top, signal);
      if (!status || !directory.endsWith('/d')) {
        yield* super.list(directory, signal);
        return;
      }
      const page = (letter: string, kind: FileStatus['kind'], length: number) =>
        Array.from({ length }, (_, i) => ({ ...status, name: `${letter}${String(i).padStart(4, '0')}`, kind }));
      yield page('a', 'other', SKIPPED);
      await sleep(50);
      refuse();
      await sleep(10);
      yield page('b', 'file', FILES);
    }
  }
  class Destination extends LocalDisk {
    override makeDirectory(): Promise<void> {
      return refused;
    }
  }
  const emitted: number[] = [];
  let [units, atOnce, most] = [0, 0, 0];
  const expected = await plan({
    source: new Source(65_536),
    destination: new Destination(65_536),
    roots: [{ source: join(top, 'tree'), destination: join(top, 'copy'), kind: 'directory' }],
    options: parseJobSpec({ source: 'local:/tree', destination: 'b:/copy' }).options,
    signal: new AbortController().signal,
    names: new NamesOnDisk(),
    makeDirectories: true,
    async emit(batch) {
      most = Math.max(most, ++atOnce);
      await sleep(20);
      emitted.push(batch.batch);
      units += batch.units.length;
      atOnce -= 1;
    },
  });
  expect(most).toBe(1);
  expect({ units, files: expected.files }).toEqual({ units: FILES + 1, files: SKIPPED + FILES + 1 });
  expect(emitted).toEqual(Array.from({ length: expected.batches }, (_, index) => index));
});
