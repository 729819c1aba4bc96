import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { existingChoices } from '../../../../shared/job/existing.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { sweepNames } from '../../../../shared/job/leftovers.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { temporaryPath } from '../../../../shared/job/temporary.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';

let top: string;
beforeEach(() => (top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-leftovers-'))));
afterEach(() => rmSync(top, { recursive: true, force: true }));

describe('sweepNames', () => {
  it.each(existingChoices)(
    'deletes what a claim under other orders left of a file that was planned as skipped: existing %s',
    async (existing) => {
      const { signal } = new AbortController();
      const spec = parseJobSpec({ source: 'local:/in', destination: `local:${top}`, options: { existing } });
      const job = newJob('job', spec, [{ source: '/in', destination: top, kind: 'directory' }], 0);
      const about = { root: 0, path: 'file', lengthBytes: 1, modifiedAtMs: 0, blockBytes: 1 };
      const unit: FileUnit = { kind: 'file', ...about, decision: 'skip', reason: 'exists' };
      const tried = { job: job.id, batch: 0, unit: 0, claim: 1, attempt: 0 };
      writeFileSync(temporaryPath(join(top, 'file'), tried), 'half');
      const names = { from: 1, through: 1, attempts: 0, without: new Set<number>(), unit: 0 };
      await sweepNames(new LocalDisk(65_536), job, { batch: 0, units: [unit] }, names, signal);
      expect(readdirSync(top)).toEqual([]);
    },
  );
});
