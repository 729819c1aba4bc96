import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MadeDirectories } from '../../../../shared/machine/made-directories.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-made-'));
  file = join(directory, 'lists', 'job');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Makes each of them. @returns what was noted when each was asked for */
async function make(paths: readonly string[]): Promise<number[]> {
  const made = new MadeDirectories(file);
  const seen: number[] = [];
  const makeDirectory = () => {
    seen.push([...made.reversed()].length);
    return Promise.resolve();
  };
  const storage = made.noting({ makeDirectory } as Partial<Storage> as Storage);
  for (const path of paths) await storage.makeDirectory(path, '755', never);
  return seen;
}

it('notes a directory before it is made, and tells the last one first', async () => {
  expect(await make(['/a', '/a/b', '/a/ü\n✓'])).toEqual([1, 2, 3]);
  expect(await make(['/c'])).toEqual([4]);
  expect([...new MadeDirectories(file).reversed()]).toEqual(['/c', '/a/ü\n✓', '/a/b', '/a']);
});

it('tells of none where none was noted, nor of one that was cut short', async () => {
  expect([...new MadeDirectories(file).reversed()]).toEqual([]);
  await make(['/a']);
  appendFileSync(file, '"/a/b');
  expect([...new MadeDirectories(file).reversed()]).toEqual(['/a']);
  await new MadeDirectories(file).remove();
  expect([...new MadeDirectories(file).reversed()]).toEqual([]);
});

it('reads a long list piece by piece, lines of any length and pieces that end in the middle of a character', async () => {
  await make(['/first']);
  const paths = Array.from({ length: 3000 }, (_, i) => `/${'ü✓'.repeat(i % 97)}/${i}`);
  appendFileSync(file, paths.map((path) => `${JSON.stringify(path)}\n`).join(''));
  appendFileSync(file, `${JSON.stringify(`/${'long'.repeat(50_000)}`)}\n`);
  const found = [...new MadeDirectories(file).reversed()];
  expect(found).toEqual([`/${'long'.repeat(50_000)}`, ...paths.toReversed(), '/first']);
});
