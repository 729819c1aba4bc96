import { describe, expect, it } from 'vitest';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { Splitting, type SplittingState } from '../../../../shared/plan/splitting.ts';
import type { StoredChecksums } from '../../../../shared/storage/capabilities.ts';
import { never } from '../../../support/files.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const inherited = {
  stripe: undefined,
  group: '',
  hasAcl: false,
  ecPolicy: undefined,
  storagePolicy: undefined,
  encrypted: false,
};

function unit(lengthBytes: number, changes: Partial<FileUnit> = {}): FileUnit {
  const blockBytes = 128 * MIB;
  return { kind: 'file', root: 0, path: 'f', lengthBytes, modifiedAtMs: 1, blockBytes, decision: 'copy', ...changes };
}

/** A splitting between two storages that keep checksums, into blocks of this length. */
function splitting(options: object = {}, blockBytes = 128 * MIB, obstacle?: string, from?: SplittingState) {
  const asked: string[] = [];
  const source = decorated(new LocalDisk(65_536), { checksums: {} as StoredChecksums });
  const destination = decorated(source, {
    concatenation: {
      obstacle: (directory) => (asked.push(directory), Promise.resolve(obstacle)),
      blockBytes: () => Promise.resolve(blockBytes),
      concatenate: () => Promise.reject(new Error('not while planning')),
    },
  });
  const spec = parseJobSpec({ source: 'a:/in', destination: 'b:/out', options });
  const planning = { source, destination, options: spec.options, signal: never };
  return { asked, splitting: new Splitting(planning, from) };
}

const cutOf = (file: FileUnit, options: object = {}, blockBytes = 128 * MIB) =>
  splitting(options, blockBytes).splitting.of(file, '/out/f', inherited);

describe('a file is split', () => {
  it.each([
    { what: 'of 1 GiB', bytes: GIB, cut: undefined },
    { what: 'of more', bytes: GIB + 1, cut: GIB },
    { what: 'of fewer than four blocks', bytes: 2 * GIB, block: GIB / 2, cut: undefined },
    { what: 'of more than four', bytes: 2 * GIB + 1, block: GIB / 2, cut: GIB },
    {
      what: 'above what was asked for',
      bytes: 300 * MIB,
      options: { splitAbove: 100 * MIB, chunkSize: 64 * MIB },
      cut: 128 * MIB,
    },
    { what: 'never', bytes: 2 ** 50, options: { splitAbove: 0 }, cut: undefined },
    { what: 'of more, unless told otherwise', bytes: GIB + 1, options: { splitAbove: undefined }, cut: GIB },
    {
      what: 'into chunks of whole blocks of both',
      bytes: 3 * GIB,
      block: 96 * MIB,
      options: { chunkSize: 400 * MIB },
      cut: 768 * MIB,
    },
    { what: 'whose one chunk would be the file', bytes: GIB + 1, options: { chunkSize: 2 * GIB }, cut: undefined },
    { what: 'that is compared first', bytes: 3 * GIB, decision: 'compare', cut: undefined },
    { what: 'that replaces another one', bytes: 3 * GIB, decision: 'overwrite', cut: GIB },
    { what: 'that is skipped', bytes: 3 * GIB, decision: 'skip', cut: undefined },
  ] as const)('$what: $cut', async ({ bytes, cut, ...rest }) => {
    const { block, options, decision } = { block: 128 * MIB, options: {}, decision: 'copy' as const, ...rest };
    const split = await cutOf(unit(bytes, { decision }), options, block);
    expect(split?.chunkBytes).toBe(cut);
  });

  it.each([
    { from: 128 * MIB, to: 128 * MIB, most: 4000 * 128 * MIB },
    { from: 4 * MIB, to: 128 * MIB, most: 242 * 128 * MIB },
  ])('into chunks of 8,000 blocks of both sides at most', async ({ from, to, most }) => {
    const file = unit(9000 * to, { blockBytes: from });
    expect((await cutOf(file, { chunkSize: 2 ** 50 }, to))?.chunkBytes).toBe(most);
  });

  it('at the blocks of the destination alone where both meet too seldom, and says that it is read back', async () => {
    const { splitting: one } = splitting({}, 100 * 1000 * 1000 + 512);
    expect(await one.of(unit(10 * GIB), '/out/f', inherited)).toEqual({ number: 0, chunkBytes: 11 * 100_000_512 });
    expect(one.state.split).toEqual({ 'chunks of 1.0 GiB, read back once': 1 });
  });

  it('at the ends of groups of an erasure-coded destination', async () => {
    const newStripe = { cellBytes: MIB, dataUnits: 6 };
    const split = await cutOf(unit(10 * GIB, { newStripe }));
    expect(split?.chunkBytes).toBe(1536 * MIB);
  });

  it('with a number of its own, over all stretches of a plan', async () => {
    const { splitting: one } = splitting();
    await one.of(unit(3 * GIB), '/out/a', inherited);
    const { splitting: two } = splitting(
      {},
      128 * MIB,
      undefined,
      JSON.parse(JSON.stringify(one.state)) as SplittingState,
    );
    expect(await two.of(unit(3 * GIB), '/out/b', inherited)).toEqual({ number: 1, chunkBytes: GIB });
    expect(two.state).toEqual({ next: 2, split: { 'chunks of 1.0 GiB': 2 }, notSplit: {} });
  });
});

describe('a long file goes as one stream, and is counted,', () => {
  it.each([
    { why: '--direct writes to the final name', options: { direct: true } },
    { why: 'a comma in the path of its directory', obstacle: 'a comma in the path of its directory' },
    { why: 'an encryption zone at the destination', encrypted: true },
    { why: 'more than 10000 blocks', bytes: 10_001 * 128 * MIB },
    { why: 'more than 8000 blocks in a chunk', from: 1024 },
  ])('because of $why', async ({ why, options, obstacle, encrypted = false, bytes = 3 * GIB, from = 128 * MIB }) => {
    const { splitting: one } = splitting(options, 128 * MIB, obstacle);
    expect(await one.of(unit(bytes, { blockBytes: from }), '/out/f', { ...inherited, encrypted })).toBeUndefined();
    expect(one.state.notSplit).toEqual({ [why]: 1 });
  });

  it('because the destination cannot put files together', async () => {
    const disk = new LocalDisk(65_536);
    const { options } = parseJobSpec({ source: 'a:/in', destination: 'local:/out', options: {} });
    const one = new Splitting({ source: disk, destination: disk, options, signal: never });
    expect(await one.of(unit(3 * GIB), '/out/f', undefined)).toBeUndefined();
    expect(one.state.notSplit).toEqual({ 'local cannot put files together': 1 });
  });
});

it('short files cost no request', async () => {
  const { asked, splitting: one } = splitting();
  await one.of(unit(GIB), '/out/f', inherited);
  expect(asked).toEqual([]);
});
