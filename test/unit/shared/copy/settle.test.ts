import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { settle } from '../../../../shared/copy/settle.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { Existing } from '../../../../shared/job/existing.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-settle-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const disk = new LocalDisk(65_536);
const { signal } = new AbortController();

const planned: Pick<FileUnit, 'decision' | 'reason'>[] = [
  { decision: 'copy' },
  { decision: 'compare', reason: 'same length' },
  { decision: 'fail', reason: 'exists and differs in length' },
  { decision: 'skip', reason: 'exists' },
];

/** Settles a file of the content `source`, planned so, where one of the content `destination` stands by now. */
async function settled(
  plan: Pick<FileUnit, 'decision' | 'reason'>,
  existing: Existing,
  source: string,
  destination: string | undefined,
): Promise<string> {
  const [sourcePath, destinationPath] = [join(top, 'source'), join(top, 'destination')];
  writeFileSync(sourcePath, source);
  rmSync(destinationPath, { force: true });
  if (destination !== undefined) writeFileSync(destinationPath, destination);
  const status = await disk.stat(sourcePath, signal);
  const { lengthBytes = 0, modifiedAtMs = 0, blockBytes = 0 } = status ?? {};
  const unit: FileUnit = { kind: 'file', root: 0, path: 'file', lengthBytes, modifiedAtMs, blockBytes, ...plan };
  const { options } = parseJobSpec({ source: 'a:/in', destination: 'b:/out', options: { existing } });
  const route = { source: disk, sourcePath, destination: disk, destinationPath };
  const { kind, reason } = await settle(route, unit, options, 'afresh', signal);
  return reason ? `${kind}: ${reason}` : kind;
}

/** What becomes of a file planned so, in the order of `planned`. */
const becomes = async (existing: Existing, source: string, destination?: string) => {
  const all = [];
  for (const plan of planned) all.push(await settled(plan, existing, source, destination));
  return all;
};

describe('a file that is looked at again', () => {
  const mineOrNot = (ours: string, others: string, left = others) => [ours, ours, others, left];

  it.each<[Existing, string, string | undefined, string[]]>([
    ['fail', 'file', undefined, mineOrNot('copy', 'copy')],
    ['fail', 'file', 'file', mineOrNot('equal: identical content', 'equal: identical content')],
    ['fail', 'file', 'FILE', mineOrNot('fail: exists and differs', 'fail: exists and differs')],
    ['fail', 'file', 'longer', mineOrNot('fail: exists and differs in length', 'fail: exists and differs in length')],
    ['fail', '', '', mineOrNot('equal: both empty', 'equal: both empty')],
    ['update', 'file', 'file', mineOrNot('equal: identical content', 'equal: identical content')],
    ['update', 'file', 'FILE', mineOrNot('overwrite: content differs', 'overwrite: content differs')],
    ['update', 'file', 'longer', mineOrNot('overwrite: length differs', 'overwrite: length differs')],
    ['overwrite', 'file', 'file', mineOrNot('equal: identical content', 'overwrite: not compared')],
    ['overwrite', 'file', 'FILE', mineOrNot('overwrite: content differs', 'overwrite: not compared')],
    ['overwrite', '', '', mineOrNot('equal: both empty', 'overwrite: not compared')],
    ['skip', 'file', undefined, mineOrNot('copy', 'copy', 'skip: exists')],
    ['skip', 'file', 'file', mineOrNot('equal: identical content', 'skip: exists')],
    ['skip', 'file', 'FILE', mineOrNot('skip: exists', 'skip: exists')],
    ['skip', 'file', 'longer', mineOrNot('skip: exists', 'skip: exists')],
    ['skip', '', '', mineOrNot('equal: both empty', 'skip: exists')],
  ])('existing %s, %j where %j stands', async (existing, source, destination, expected) => {
    expect(await becomes(existing, source, destination)).toEqual(expected);
  });
});
