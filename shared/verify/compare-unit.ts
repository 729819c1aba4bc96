import type { VerifyLevel } from '../job/verification.ts';
import { basename } from '../storage/path.ts';
import type { FileStatus } from '../storage/storage.ts';
import type { DeferredFile } from './verify-trees.ts';

/** A file that both sides have, to be compared by whoever gets its batch. Listings tell most of both: what is the same of them is said once. */
export interface CompareUnit {
  readonly kind: 'compare';
  /** Index of its pair of roots. */
  readonly root: number;
  /** Below the root; empty when the root is the file. */
  readonly path: string;
  readonly source: Listed;
  /** What differs at the destination; null for what is not told there. */
  readonly destination: { readonly [K in keyof Listed]?: Listed[K] | null };
}

type Listed = Partial<Omit<FileStatus, 'name' | 'kind'>>;

/** Of no interest to a comparison, and another one on each side. */
const LEFT_OUT: ReadonlySet<string> = new Set<keyof FileStatus>(['name', 'kind', 'accessedAtMs']);

export function compareUnitOf({ root, path, status, there }: DeferredFile): CompareUnit {
  const names = (Object.keys({ ...status, ...there }) as (keyof Listed)[]).filter((name) => !LEFT_OUT.has(name));
  const source = Object.fromEntries(names.map((name) => [name, status[name]])) as Listed;
  const differing = names.filter((name) => JSON.stringify(status[name]) !== JSON.stringify(there[name]));
  const destination = Object.fromEntries(differing.map((name) => [name, there[name] ?? null]));
  return { kind: 'compare', root, path, source, destination };
}

/** Both files as they were listed. */
export function listedIn({ path, source, destination }: CompareUnit): Pick<DeferredFile, 'status' | 'there'> {
  const whole = { name: basename(path), kind: 'file', accessedAtMs: 0 } as const;
  const there = Object.entries({ ...source, ...destination }).map(([name, value]) => [name, value ?? undefined]);
  return {
    status: { ...whole, ...source } as FileStatus,
    there: { ...whole, ...(Object.fromEntries(there) as Listed) } as FileStatus,
  };
}

const FILE_COST = 2 * 1024 * 1024;

/** What comparing a file costs, in bytes: its own where it is read, and some requests. */
export function costOfComparing({ source, destination }: CompareUnit, level: VerifyLevel): number {
  const { lengthBytes = 0, blockBytes = 0, encrypted, stripe } = source;
  // Stored checksums of another layout cannot be compared, unless the file has one block on both sides.
  const least = Math.min(blockBytes, destination.blockBytes ?? blockBytes);
  const differ = 'blockBytes' in destination && lengthBytes > least;
  const isRead = level === 'read-back' || differ || encrypted || destination.encrypted || stripe || destination.stripe;
  return FILE_COST + (isRead ? lengthBytes : 0);
}
