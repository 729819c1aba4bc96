import type { Room } from '../storage/capabilities.ts';
import type { Collected } from './collector.ts';

/** What a copy takes of a destination. */
export interface Needed {
  /** Bytes with all replicas; undefined where the destination does not tell how many new files get. */
  readonly bytes: number | undefined;
  /** Files, and directories that are missing. */
  readonly names: number;
  /** Why it does not fit, each with what is left; empty where nothing that is told stands in its way. */
  readonly lacks: readonly string[];
}

/** Of an erasure-coded file with RS-6-3, HDFS's default policy: half as much again. */
const CODED = 1.5;

/**
 * What a copy needs, held against what there is. Old files stay until the new ones are whole, so that what is replaced frees nothing before
 * its copy ends: it is not taken off.
 * @param newDirectories  that the destination lacks
 */
export function neededOf(
  { byReplication, actions }: Pick<Collected, 'byReplication' | 'actions'>,
  room: Room | undefined,
  newDirectories: number,
): Needed {
  let bytes: number | undefined = 0;
  for (const [name, length] of Object.entries(byReplication)) {
    const factor = name === 'coded' ? CODED : name === 'usual' ? room?.replication : Number(name);
    bytes = bytes === undefined || factor === undefined ? undefined : bytes + length * factor;
  }
  const names = (actions.copy?.files ?? 0) + newDirectories;
  const lacks: string[] = [];
  const { freeBytes, quotas = [] } = room ?? {};
  if (freeBytes !== undefined && bytes !== undefined && bytes > freeBytes) lacks.push('free space');
  for (const { path, namesLeft = Infinity, bytesLeft = Infinity } of quotas) {
    if (bytes !== undefined && bytes > bytesLeft) lacks.push(`space quota of ${path}`);
    if (names > namesLeft) lacks.push(`name quota of ${path}`);
  }
  return { bytes, names, lacks };
}
