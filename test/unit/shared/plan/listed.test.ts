import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { fileOf, type FileUnit, isNeverWritten } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { ListOnDisk } from '../../../../shared/machine/list-on-disk.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';
import { listLines } from '../../../../shared/plan/list-lines.ts';
import { plan } from '../../../../shared/plan/plan.ts';
import { never } from '../../../support/files.ts';

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-listed-'));
afterAll(() => rmSync(top, { recursive: true }));

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}

it('what the list names and the source has not is never written, whatever comes there later', async () => {
  mkdirSync(join(top, 'tree'));
  writeFileSync(join(top, 'tree/here'), 'here');
  const disk = new LocalDisk(65_536);
  using list = new ListOnDisk();
  using names = new NamesOnDisk();
  await list.fill(listLines(bytesOf('here\nmissing\nx/y\n')), join(top, 'tree'));
  const units: FileUnit[] = [];
  await plan({
    source: disk,
    destination: disk,
    roots: [{ source: join(top, 'tree'), destination: join(top, 'copy'), kind: 'directory' }],
    options: parseJobSpec({ source: 'local:/x', destination: 'local:/y', options: { force: true } }).options,
    signal: never,
    emit: (batch) => Promise.resolve(void units.push(...batch.units.map(fileOf))),
    makeDirectories: false,
    names,
    list,
  });
  expect(units.map((unit) => [unit.path, unit.decision, isNeverWritten(unit)])).toEqual([
    ['here', 'copy', false],
    ['missing', 'fail', true],
    ['x/y', 'fail', true],
  ]);
});
