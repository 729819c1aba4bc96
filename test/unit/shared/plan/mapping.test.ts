import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseAtOnce, resolveMapping } from '../../../../shared/plan/mapping.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { errorOf, never } from '../../../support/files.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';

const disk = new LocalDisk(65_536);
const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-mapping-'));
afterAll(() => rmSync(top, { recursive: true }));
beforeAll(() => {
  const files = [
    'in/file',
    'in/tree/x',
    'in/tree.2/x',
    'in/.hidden',
    'in/a*b',
    'in/ab',
    'in/back\\slash',
    'more/file',
    'out/full/tree/x',
    'out/full/file',
    'out/note',
    'out/odd/tree',
    'out/odd/file/x',
  ];
  for (const file of files) {
    mkdirSync(dirname(join(top, file)), { recursive: true });
    writeFileSync(join(top, file), file);
  }
  mkdirSync(join(top, 'out/empty'));
  mkdirSync(join(top, 'in/tree/below'));
});

/** Paths are written below the temporary directory. */
async function map(sources: readonly string[], destination: string, options: Record<string, unknown> = {}) {
  const spec = parseJobSpec({ source: 'local:/x', destination: 'local:/y', options });
  const patterns = sources.map((source) => `${top}/${source}`);
  const roots = await resolveMapping(spec, patterns, `${top}/${destination}`, disk, disk, never);
  return roots.map((root) => [root.kind, root.source.slice(top.length + 1), root.destination.slice(top.length + 1)]);
}

const force = { force: true };
const exact = { mapping: 'exact' };
const into = { mapping: 'into' };
const mkpath = { mkpath: true };
const flat = { filesOnly: true };

describe('resolveMapping', () => {
  it.each<[string, string[], string, Record<string, unknown>, string[][]]>([
    ['gives a file the name that is missing', ['in/file'], 'out/new', {}, [['file', 'in/file', 'out/new']]],
    ['gives a directory the name that is missing', ['in/tree'], 'out/new', {}, [['directory', 'in/tree', 'out/new']]],
    ['puts a file into a directory', ['in/file'], 'out/empty', {}, [['file', 'in/file', 'out/empty/file']]],
    ['puts a directory into a directory', ['in/tree/'], 'out/empty/', {}, [['directory', 'in/tree', 'out/empty/tree']]],
    [
      'puts matches into a directory, in order',
      ['in/[ft]*'],
      'out/empty',
      {},
      [
        ['file', 'in/file', 'out/empty/file'],
        ['directory', 'in/tree', 'out/empty/tree'],
        ['directory', 'in/tree.2', 'out/empty/tree.2'],
      ],
    ],
    [
      'puts several sources into a directory, in the order given',
      ['more/file', 'in/tree'],
      'out/empty',
      {},
      [
        ['file', 'more/file', 'out/empty/file'],
        ['directory', 'in/tree', 'out/empty/tree'],
      ],
    ],
    [
      'takes a trailing slash to mean directories',
      ['in/*/'],
      'out/empty',
      {},
      [
        ['directory', 'in/tree', 'out/empty/tree'],
        ['directory', 'in/tree.2', 'out/empty/tree.2'],
      ],
    ],
    [
      'takes a hidden name when the pattern begins with a dot',
      ['in/.*'],
      'out/new',
      {},
      [['file', 'in/.hidden', 'out/new']],
    ],
    ['takes an escaped star for itself', ['in/a\\*b'], 'out/new', {}, [['file', 'in/a*b', 'out/new']]],
    [
      'takes backslashes of a plain path for themselves',
      ['in/back\\slash'],
      'out/new',
      {},
      [['file', 'in/back\\slash', 'out/new']],
    ],
    ['follows patterns through directories', ['i?/*e/[x]'], 'out/new', {}, [['file', 'in/tree/x', 'out/new']]],
    [
      'merges into an existing directory with force',
      ['in/tree'],
      'out/full',
      force,
      [['directory', 'in/tree', 'out/full/tree']],
    ],
    ['overwrites a file with force', ['in/file'], 'out/full', force, [['file', 'in/file', 'out/full/file']]],
    [
      'overwrites the very file that is named with force',
      ['in/file'],
      'out/note',
      force,
      [['file', 'in/file', 'out/note']],
    ],
    [
      'takes an existing destination for the copied root when exact',
      ['in/tree'],
      'out/full',
      exact,
      [['directory', 'in/tree', 'out/full']],
    ],
    [
      'takes a missing destination for the copied root when exact',
      ['in/tree'],
      'out/new',
      exact,
      [['directory', 'in/tree', 'out/new']],
    ],
    [
      'goes into a missing directory with into',
      ['in/tree'],
      'out/new',
      into,
      [['directory', 'in/tree', 'out/new/tree']],
    ],
    [
      'puts several, also files, into a missing directory with into',
      ['in/file', 'in/tree*'],
      'out/new',
      into,
      [
        ['file', 'in/file', 'out/new/file'],
        ['directory', 'in/tree', 'out/new/tree'],
        ['directory', 'in/tree.2', 'out/new/tree.2'],
      ],
    ],
    [
      'takes missing parents with mkpath',
      ['in/file'],
      'out/no/such/new',
      mkpath,
      [['file', 'in/file', 'out/no/such/new']],
    ],
    [
      'goes into what has no parents either',
      ['in/file'],
      'out/no/such/new',
      { ...into, ...mkpath },
      [['file', 'in/file', 'out/no/such/new/file']],
    ],
    ['lands on the same name again when exact', ['in/file'], 'out/note', exact, [['file', 'in/file', 'out/note']]],
    [
      'flattens a directory into the destination itself',
      ['in/tree'],
      'out/full',
      flat,
      [['directory', 'in/tree', 'out/full']],
    ],
  ])('%s', async (_what, sources, destination, options, roots) => {
    expect(await map(sources, destination, options)).toEqual(roots);
  });

  it.each<[string, string[], string, Record<string, unknown>, RegExp]>([
    ['a pattern without a match', ['in/nothing*'], 'out/new', {}, /no source matches local:.*in\/nothing\*/],
    ['a source that is missing', ['in/nothing'], 'out/new', {}, /no source matches local:.*in\/nothing/],
    ['a file where a trailing slash wants a directory', ['in/file/'], 'out/new', {}, /no source matches/],
    ['hidden names for a star', ['in/*idden'], 'out/new', {}, /no source matches/],
    [
      'a missing parent',
      ['in/file'],
      'out/no/such/new',
      {},
      /Parent directory of local:.*out\/no\/such\/new does not exist/,
    ],
    ['a parent that is a file', ['in/file'], 'out/note/new', {}, /parent of local:.*out\/note\/new is not a directory/],
    [
      'two matches for one missing name',
      ['in/tree*'],
      'out/new',
      {},
      /in\/tree and .*in\/tree\.2 would both become local:.*out\/new/,
    ],
    [
      'two sources of the same name',
      ['in/file', 'more/file'],
      'out/empty',
      {},
      /in\/file and .*more\/file would both become local:.*out\/empty\/file/,
    ],
    ['an existing file without force', ['in/file'], 'out/note', {}, /out\/note exists \(use --force/],
    ['an existing file in the directory without force', ['in/file'], 'out/full', {}, /out\/full\/file exists/],
    ['an existing directory in the directory without force', ['in/tree'], 'out/full', {}, /out\/full\/tree exists/],
    [
      'a file where a directory would be needed, also with force',
      ['in/tree'],
      'out/odd',
      force,
      /is a file and its source .* is a directory/,
    ],
    [
      'a directory where a file would be needed, also with force',
      ['in/file'],
      'out/odd',
      force,
      /is a directory and its source .* is a file/,
    ],
    [
      'several sources for an exact destination',
      ['in/tree*'],
      'out/full',
      exact,
      /2 sources match, and an exact destination takes one/,
    ],
    ['a file to copy into', ['in/tree'], 'out/note', into, /out\/note is a file \(name a directory to copy into\)/],
    ['what exists in a directory to copy into', ['in/file'], 'out/full', into, /out\/full\/file exists \(use --force/],
    [
      'a missing parent of a directory to copy into',
      ['in/file'],
      'out/no/such',
      into,
      /Parent directory of local:.*out\/no\/such does not exist/,
    ],
    ['a directory into itself', ['in/tree'], 'in/tree/below', {}, /inside its own source/],
    ['a match into itself', ['in/tre?'], 'in/tree/below', {}, /inside its own source/],
    ['a file onto itself, also with force', ['in/file'], 'in', force, /own source/],
  ])('refuses %s before a byte moves', async (_what, sources, destination, options, message) => {
    const error = await errorOf(map(sources, destination, options));
    expect(error).toMatchObject({ name: 'RefusedError', disposition: 'fail-job' });
    expect((error as Error).message).toMatch(message);
  });
});

describe('a disk that ignores case', () => {
  const options = { mapping: 'exact', delete: true, skipTrash: true };
  const spec = parseJobSpec({ source: 'local:/x', destination: 'local:/y', options });
  const folding = decorated(disk, {
    stat: async (path, signal) =>
      (await disk.stat(path, signal)) ??
      disk.stat(
        path.replace(/[^/]*$/, (name) => name.toLowerCase()),
        signal,
      ),
  });
  const onto = (destination: Storage, path: string, makeProbe = true) =>
    resolveMapping(spec, [`${top}/in/tree`], `${top}/${path}`, disk, destination, never, { makeProbe });

  it('is no destination to delete from, since both spellings of a name may be one file', async () => {
    await expect(onto(folding, 'out/full')).rejects.toThrow(
      /out\/full takes names in capital and in small letters for one/,
    );
    // A dry run makes nothing, and a directory that is missing has nothing to delete.
    await onto(folding, 'out/full', false);
    await onto(folding, 'out/new');
    await onto(disk, 'out/full');
    expect(readdirSync(join(top, 'out/full')).sort()).toEqual(['file', 'tree']);
  });
});

describe('refuseAtOnce', () => {
  const spec = parseJobSpec({ source: 'local:/x', destination: 'local:/y' });

  it.each([
    ['its own source', '/a/b', '/a/b/', /is its own source/],
    ['a directory inside its source', '/a', '/a/b/c', /lies inside its source \/a/],
  ])('refuses %s without asking anybody', (_what, source, destination, message) => {
    expect(() => refuseAtOnce(spec, disk, disk, [source], destination)).toThrow(message);
  });

  it.each([
    ['/a/*', { delete: true }, '--delete'],
    ['/a/{b,c}', { delete: true }, '--delete'],
    ['/a/[b]', { trackMissing: '/tmp/x' }, '--track-missing'],
  ])('refuses %s as a source to mirror, whatever it matches: %j', (source, options, flag) => {
    const mirror = parseJobSpec({ source: 'local:/x', destination: 'local:/y', options: { ...exact, ...options } });
    const says = `${flag} takes one source that is named in full, not ${source} (write its path without wildcards)`;
    expect(() => refuseAtOnce(mirror, disk, disk, [source], '/b')).toThrow(says);
    expect(() => refuseAtOnce(mirror, disk, disk, ['/a/b', '/a/c'], '/b')).toThrow(`${flag} takes one source`);
    for (const named of ['/a/b', '/a/\\*']) {
      expect(() => refuseAtOnce(mirror, disk, disk, [named], '/b')).not.toThrow();
    }
  });

  it('refuses a snapshot of what a wildcard matches, and of what has none', () => {
    const options = { ...exact, snapshot: true };
    const mirror = parseJobSpec({ source: 'local:/x', destination: 'local:/y', options });
    const refuse = (source: string) => () => refuseAtOnce(mirror, disk, disk, [source], '/b');
    expect(refuse('/a/*')).toThrow('--snapshot takes one source that is named in full, not /a/*');
    expect(refuse('/a/b')).toThrow('local has no snapshots (leave out --snapshot)');
  });

  it.each([
    ['a sibling whose name begins the same', '/a/b', '/a/bc'],
    ['the parent of its source', '/a/b', '/a'],
    ['what only a listing can tell', '/a/*', '/a/b'],
  ])('lets %s pass', (_what, source, destination) => {
    expect(() => refuseAtOnce(spec, disk, disk, [source], destination)).not.toThrow();
  });
});
