import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { Root } from '../../../../shared/job/root.ts';
import { destinationPathOf, fileOf, type FileUnit } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';
import type { FileStatus } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { plan } from '../../../../shared/plan/plan.ts';

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-flattening-'));
afterAll(() => rmSync(top, { recursive: true }));
const temporary = '_hdfs-fanout.other.0.0.1.0';

beforeAll(() => {
  const files = [
    'one',
    'tree/a/one',
    'tree/a/two',
    'tree/b/two',
    'tree/b/link',
    `tree/a/${temporary}`,
    `tree/b/${temporary}`,
  ];
  for (const file of files) {
    mkdirSync(dirname(join(top, file)), { recursive: true });
    writeFileSync(join(top, file), file);
  }
  symlinkSync(join(top, 'tree/b'), join(top, 'tree/a/link'));
  mkdirSync(join(top, 'copy'));
});

/** Tells what it was asked about. */
class Destination extends LocalDisk {
  readonly asked: string[] = [];
  override stat(path: string, signal: AbortSignal): Promise<FileStatus | undefined> {
    this.asked.push(path.slice(top.length + 1));
    return super.stat(path, signal);
  }
}

it('gives a name to the first regular file that has it, of all roots, and asks for no other', async () => {
  const destination = new Destination(65_536);
  const roots: Root[] = [
    { source: join(top, 'one'), destination: join(top, 'copy/one'), kind: 'file' },
    { source: join(top, 'tree'), destination: join(top, 'copy'), kind: 'directory' },
  ];
  const units: FileUnit[] = [];
  const settled: FileUnit[] = [];
  using names = new NamesOnDisk();
  await plan({
    source: new LocalDisk(65_536),
    destination,
    roots,
    options: parseJobSpec({ source: 'local:/x', destination: 'local:/copy', options: { filesOnly: true } }).options,
    signal: never,
    emit: (batch) => Promise.resolve(void units.push(...batch.units.map(fileOf))),
    makeDirectories: true,
    names,
    onSettled: (unit) => void settled.push(unit),
  });
  const tell = (unit: FileUnit) => [
    unit.path,
    destinationPathOf(roots, unit).slice(top.length + 1),
    unit.decision,
    unit.reason,
  ];
  expect(units.map(tell)).toEqual([
    ['', 'copy/one', 'copy', undefined],
    ['a/one', 'copy/one', 'fail', 'another source file is named one'],
    ['a/two', 'copy/two', 'copy', undefined],
    ['b/link', 'copy/link', 'copy', undefined],
    ['b/two', 'copy/two', 'fail', 'another source file is named two'],
  ]);
  expect(settled.map(tell)).toEqual([
    [`a/${temporary}`, `copy/${temporary}`, 'skip', 'temporary file of a copy'],
    ['a/link', 'copy/link', 'skip', 'not a regular file'],
    [`b/${temporary}`, `copy/${temporary}`, 'skip', 'temporary file of a copy'],
  ]);
  // The parent of the roots, the root of the tree, and each file that may be written.
  expect(destination.asked.sort()).toEqual(['copy', 'copy', 'copy/link', 'copy/one', 'copy/two']);
});
