import { allOrAbort } from '../all-or-abort.ts';
import type { Layouts } from '../storage/capabilities.ts';
import { type RegularLayout, striped } from '../storage/checksum.ts';
import type { FileUnit } from '../job/unit.ts';
import { expectedLayouts } from './content.ts';
import type { FileCopy } from './file-copy.ts';

/** The layouts in which both sides are likely to keep the checksum of a file, or of a chunk of it. */
export interface ChunkLayouts {
  readonly source: Layouts;
  readonly written: Layouts;
}

/** @param blockBytes  of the new file; the destination's default where undefined */
export async function chunkLayouts(
  { source, sourcePath, destination, destinationPath }: FileCopy,
  unit: FileUnit,
  blockBytes: number | undefined,
  signal: AbortSignal,
): Promise<ChunkLayouts> {
  const [[ofSource, ...others], [ofWritten, ...more]] = await allOrAbort(signal, [
    (both) => expectedLayouts({ storage: source, path: sourcePath }, unit.blockBytes, both),
    (both) => expectedLayouts({ storage: destination, path: destinationPath }, blockBytes, both),
  ]);
  const sourceLike = (layout: RegularLayout) => striped(layout, unit.stripe);
  const writtenLike = (layout: RegularLayout) => striped(layout, unit.newStripe);
  return {
    source: [sourceLike(ofSource), ...others.map(sourceLike)],
    written: [writtenLike(ofWritten), ...more.map(writtenLike)],
  };
}
