import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import type { DeleteUnit } from '../../../../shared/job/deletion.ts';
import { type ExtrasCursor, findExtras } from '../../../../shared/plan/extras.ts';
import type { Selection } from '../../../../shared/plan/selection.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';

const all: Selection = { hides: () => undefined, leavesOut: () => undefined, isOptional: () => false };
const disk = new LocalDisk(65_536);
let top: string;
const put = (file: string) => {
  const path = join(top, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file);
};

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-extras-'));
  for (const directory of ['hollow/in', 'whole/in/empty', 'hollow2'])
    mkdirSync(join(top, 'there', directory), { recursive: true });
  for (const file of ['both/a', 'both/b', 'both/.Trash/other', 'kind/x', 'same', 'z/deep/er/y']) put(`source/${file}`);
  for (const file of ['both/a', 'both/extra', 'kind', 'same', 'z/deep/er/y', 'z/deep/er/z']) put(`there/${file}`);
  for (const file of ['whole/1', 'whole/in/2', 'whole/in/3', 'mixed/1', 'mixed/hidden', 'mixed/in/2'])
    put(`there/${file}`);
  for (const file of [
    'busy/1',
    'busy/_hdfs-fanout.job.0.0.1.0',
    'home/.Trash/Current/x',
    'home/y',
    'both/.Trash/Current/x',
  ])
    put(`there/${file}`);
  for (const file of ['only/in/hidden', 'above/snap/1', 'keep/mirrored']) put(`there/${file}`);
  put('source/keep/other');
  for (const file of ['spanned/mount/1', 'spanned/2', 'snap/1', 'hidden']) put(`there/${file}`);
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** A destination with a mount and a snapshottable directory. */
const destination = () =>
  decorated(disk, {
    isSpanned: (path) => [join(top, 'there/spanned'), join(top, 'there/spanned/mount')].includes(path),
    async *list(directory, signal, after) {
      for await (const page of disk.list(directory, signal, after))
        yield page.map((entry) => (entry.name === 'snap' ? { ...entry, isSnapshottable: true as const } : entry));
    },
  } satisfies Partial<Storage>);

/** Of a directory that `filters` hides at the source, what is in it is walked. */
const hides: Selection['hides'] = (path) =>
  path.endsWith('hidden') ? 'exclude' : path === 'keep' ? 'filters' : undefined;

async function extras(whole: boolean, entries = Infinity) {
  const units: DeleteUnit[] = [];
  let from: ExtrasCursor | undefined;
  for (let stops = 0; ; stops++) {
    let seen = 0;
    const found = await findExtras(
      {
        source: disk,
        destination: destination(),
        roots: [{ source: join(top, 'source'), destination: join(top, 'there'), kind: 'directory' }],
        whole,
        selection: { ...all, hides },
        signal: never,
        emit: (unit) => Promise.resolve(void units.push(unit)),
        onLost: () => undefined,
        isOver: () => ++seen >= entries,
      },
      from,
    );
    if (!('cursor' in found)) return { units, found, stops };
    from = JSON.parse(JSON.stringify(found.cursor)) as ExtrasCursor;
  }
}

describe('what only the destination has', () => {
  const piecewise = ['above/snap/1', 'busy/1', 'home/y', 'mixed/1', 'snap/1', 'spanned/2', 'spanned/mount/1'];

  it('is found with directories as a whole, but for those that hold what stays', async () => {
    const { units, found } = await extras(true);
    const paths = units.map(({ path, digest }) => (digest === undefined ? path : `${path}/**`));
    expect(paths).toEqual([
      'above/snap/1',
      'both/extra',
      'busy/1',
      'hollow/**',
      'hollow2/**',
      'home/y',
      'mixed/1',
      'mixed/in/**',
      'snap/1',
      'spanned/2',
      'spanned/mount/1',
      'whole/**',
      'z/deep/er/z',
    ]);
    expect(units.filter(({ path }) => path === 'whole')).toMatchObject([{ kind: 'directory', files: 3 }]);
    // An entry within a directory that the source has not goes as long as that directory is missing.
    expect(Object.fromEntries(units.map(({ path, top: above }) => [path, above]))).toMatchObject({
      'both/extra': undefined,
      'busy/1': 'busy',
      'mixed/in': 'mixed',
      'spanned/mount/1': 'spanned',
      whole: undefined,
    });
    expect(found).toMatchObject({ files: piecewise.length + 6, directories: 2, sourceFiles: 6 });
  });

  it('is found entry by entry, a directory after all that is in it', async () => {
    const { units, found } = await extras(false);
    const paths = units.map(({ path }) => path);
    expect(paths.slice(paths.indexOf('whole/1'))).toEqual([
      'whole/1',
      'whole/in/2',
      'whole/in/3',
      'whole/in/empty',
      'whole/in',
      'whole',
      'z/deep/er/z',
    ]);
    expect(units.every(({ digest }) => digest === undefined)).toBe(true);
    expect(found).toMatchObject({ files: piecewise.length + 6 });
    expect(found.directories).toBe(3);
    const holding = ['busy', 'home', 'mixed', 'only', 'only/in', 'above'];
    for (const fixed of ['snap', 'spanned', 'spanned/mount', 'hidden', 'home/.Trash', ...holding])
      expect(paths).not.toContain(fixed);
  });

  it.each([1, 2, 5])('is the same in stretches of %i entries', async (entries) => {
    for (const whole of [true, false]) {
      const { units, found, stops } = await extras(whole, entries);
      expect({ units, found }).toEqual(await extras(whole).then((all) => ({ units: all.units, found: all.found })));
      expect(stops).toBeGreaterThan(2);
    }
  });

  it('is nothing of a file, whatever the destination is', async () => {
    const found = await findExtras({
      source: disk,
      destination: disk,
      roots: [{ source: join(top, 'source/same'), destination: join(top, 'there'), kind: 'file' }],
      whole: true,
      selection: all,
      signal: never,
      emit: () => Promise.reject(new Error('nothing may be found')),
      onLost: () => undefined,
    });
    expect(found).toMatchObject({ files: 0, destinationFiles: 0 });
  });
});
