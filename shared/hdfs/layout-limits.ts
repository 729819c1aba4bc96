import type { FileLayout, LayoutRefusal, TakenLayout } from '../storage/capabilities.ts';
import type { StorageError } from '../storage/errors.ts';

interface Limits {
  maxReplication?: number;
  minReplication?: number;
  minBlockBytes?: number;
  /** Block sizes that were refused one by one: no multiple of the checksum chunk, smaller than an erasure-coded cell. */
  readonly blockBytes: Set<number>;
  readonly refusals: Map<LayoutRefusal['attribute'], StorageError>;
}

/**
 * Which replication and block sizes a cluster takes, as its refusals tell: each costs one request, and then none.
 * @see Hadoop BlockManager.verifyReplication, FSDirWriteFileOp, FSNamesystem.startFile, DFSOutputStream
 */
export class LayoutLimits {
  readonly #known = new Map<string, Limits>();
  /** Layouts that were taken: they are few. */
  readonly #taken = new Set<string>();

  /** Whether a cluster may still refuse this layout. */
  isOpen(cluster: string, layout: FileLayout): boolean {
    return (
      (layout.replication !== undefined || layout.blockBytes !== undefined) && !this.#taken.has(keyOf(cluster, layout))
    );
  }

  noteTaken(cluster: string, layout: FileLayout): void {
    this.#taken.add(keyOf(cluster, layout));
  }

  /** What of a layout the cluster takes as far as is known. What it does not take is left to its own defaults. */
  within(cluster: string, layout: FileLayout): TakenLayout {
    const limits = this.#known.get(cluster);
    if (!limits) return { ...layout, refused: [] };
    const { replication, blockBytes } = layout;
    const refused: LayoutRefusal[] = [];
    const refuse = (attribute: LayoutRefusal['attribute']) => {
      const error = limits.refusals.get(attribute);
      if (error) refused.push({ attribute, error });
    };
    const { maxReplication = Infinity, minReplication = 0, minBlockBytes = 0 } = limits;
    const replicates = replication === undefined || (replication <= maxReplication && replication >= minReplication);
    const blocks = blockBytes === undefined || (blockBytes >= minBlockBytes && !limits.blockBytes.has(blockBytes));
    if (!replicates) refuse('replication');
    if (!blocks) refuse('blocksize');
    return { replication: replicates ? replication : undefined, blockBytes: blocks ? blockBytes : undefined, refused };
  }

  /** @returns whether the refusal was about the layout, which is not to be sent again */
  learn(cluster: string, error: StorageError, sent: FileLayout): boolean {
    const limits: Limits = this.#known.get(cluster) ?? { blockBytes: new Set(), refusals: new Map() };
    const [, relation, factor] =
      /Requested replication factor of \d+ (exceeds maximum|is less than the required minimum) of (\d+)/.exec(
        error.reason,
      ) ?? [];
    const [, minimum] =
      /Specified block size \d+ is less than configured minimum value [\w.-]+=(\d+)/.exec(error.reason) ?? [];
    if (factor !== undefined && sent.replication !== undefined) {
      if (relation === 'exceeds maximum') limits.maxReplication = Number(factor);
      else limits.minReplication = Number(factor);
      limits.refusals.set('replication', error);
    } else if (sent.blockBytes !== undefined && (minimum !== undefined || tellsOfBlockSize(error))) {
      if (minimum === undefined) limits.blockBytes.add(sent.blockBytes);
      else limits.minBlockBytes = Number(minimum);
      limits.refusals.set('blocksize', error);
    } else return false;
    this.#known.set(cluster, limits);
    return true;
  }
}

function keyOf(cluster: string, { replication, blockBytes }: FileLayout): string {
  return `${cluster} ${replication ?? ''} ${blockBytes ?? ''}`;
}

/** A block holds whole checksum chunks, and at least a cell of an erasure-coded stripe. */
function tellsOfBlockSize({ reason }: StorageError): boolean {
  return /must divide block size|[Bb]lock ?size.*(?:cell|less than|multiple)/.test(reason);
}
