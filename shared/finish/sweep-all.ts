import { sweepChunks } from './sweep-chunks.ts';
import { sweep, sweepStart } from './sweep.ts';
import { type PartsSweeping, sweepParts } from './sweep-parts.ts';

/** Deletes by name what a job that will not be resumed may have left. No copier of it may be at work. */
export async function sweepAll(sweeping: PartsSweeping): Promise<void> {
  await sweep(sweeping, () => true, sweepStart);
  await sweepChunks(sweeping);
  await sweepParts(sweeping);
}
