// How evenly a plan shares out work: when its last copier ends, simulated, beside the earliest that any plan could end.
//
// usage: node bench/skew.ts [COPIERS]
import type { Batch, FileUnit, Unit } from '../shared/job/unit.ts';
import { costOf, Packer, type Sharing, plannedFirst } from '../shared/plan/packer.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const CHUNK_BYTES = GIB;

const file = (path: string, lengthBytes: number): FileUnit => ({
  kind: 'file',
  root: 0,
  path,
  lengthBytes,
  modifiedAtMs: 1_700_000_000_000,
  blockBytes: 128 * MIB,
  decision: 'copy',
});

/** Files as a plan gives them: those above a chunk by their chunks, and behind them the file. */
export function unitsOf(lengths: readonly number[]): Unit[] {
  let number = 0;
  return lengths.flatMap((lengthBytes, index): Unit[] => {
    const whole = file(`warehouse/events/part-${String(index).padStart(6, '0')}`, lengthBytes);
    if (lengthBytes <= CHUNK_BYTES) return [whole];
    const split = { ...whole, split: { number: number++, chunkBytes: CHUNK_BYTES } };
    const chunks = Array.from({ length: Math.ceil(lengthBytes / CHUNK_BYTES) }, (_, chunk) => chunk);
    return [...chunks.map((chunk) => ({ kind: 'chunk' as const, chunk, file: split })), split];
  });
}

const times = (count: number, lengthOf: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => Math.round(lengthOf(index)));

/** By a fixed generator (Lehmer's), so that the figures are the same each time. */
const shuffled = (lengths: readonly number[]): number[] => {
  let state = 42;
  const keyed = lengths.map((length) => [(state = (state * 48_271) % 0x7f_ff_ff_ff), length] as const);
  return keyed.toSorted(([a], [b]) => a - b).map(([, length]) => length);
};

const small = times(5000, () => 64 * 1024);

/** Lengths of files, in the order in which a walk comes by them. */
export const mixes: Readonly<Record<string, readonly number[]>> = {
  '8 GiB, then 5,000 of 64 KiB': [8 * GIB, ...small],
  '5,000 of 64 KiB, then 8 GiB': [...small, 8 * GIB],
  '5,000 of 64 KiB': small,
  '20,000 of 4 MiB': times(20_000, () => 4 * MIB),
  '2,000 of 128 MiB': times(2000, () => 128 * MIB),
  'powers of two, 1 KiB to 8 GiB, 50 each': shuffled(times(24 * 50, (index) => 2 ** (10 + (index % 24)))),
  'Zipf: 10,000 files, the n-th 64 GiB/n': shuffled(times(10_000, (index) => (64 * GIB) / (index + 1))),
  '1 TiB, then 100,000 of 1 MiB': [1024 * GIB, ...times(100_000, () => MIB)],
  '100,000 of 1 MiB, then 1 TiB': [...times(100_000, () => MIB), 1024 * GIB],
};

export function pack(units: readonly Unit[], sharing: Sharing): Batch[] {
  const packer = new Packer(sharing, costOf);
  return [...units.flatMap((unit) => packer.add(unit)), ...packer.flush()];
}

/** When the last copier ends, in bytes, where each takes the next batch as soon as it is done with one. */
export function simulatedFinish(batches: readonly Batch[], copiers: number): number {
  const ends = Array.from({ length: copiers }, () => 0);
  for (const { units } of batches) {
    const first = ends.indexOf(Math.min(...ends));
    ends[first] = (ends[first] ?? 0) + units.reduce((sum, unit) => sum + costOf(unit), 0);
  }
  return Math.max(...ends);
}

/** No plan ends before: everybody has the same, and nobody cuts a unit. */
export function perfectFinish(units: readonly Unit[], copiers: number): number {
  const costs = units.map((unit) => costOf(unit));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  return costs.reduce((most, cost) => Math.max(most, cost), total / copiers);
}

if (import.meta.main) {
  const copiers = Number(process.argv[2] ?? 50);
  const rows = Object.entries(mixes).map(([mix, lengths]) => {
    const units = unitsOf(lengths);
    const batches = pack(units, plannedFirst(copiers));
    const finish = simulatedFinish(batches, copiers) / perfectFinish(units, copiers);
    return `| ${mix} | ${batches.length} | ${finish.toFixed(2)} |`;
  });
  console.log([`| files | batches | ${copiers} copiers end, × the perfect |`, '| - | - | - |', ...rows].join('\n'));
}
