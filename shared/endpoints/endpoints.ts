import { type JobSpec, paceOf } from '../job/spec.ts';
import type { Storage } from '../storage/storage.ts';
import { locationsOf } from './location.ts';
import type { Limits } from '../limits/limits.ts';
import { type Means, openStorage } from './registry.ts';

/** Where a job copies from and to, opened; the paths as the job spells them. */
export interface Endpoints extends AsyncDisposable {
  readonly source: Storage;
  /** Paths in the source; may hold globs. */
  readonly patterns: readonly string[];
  readonly destination: Storage;
  readonly destinationPath: string;
  /** What both are kept within. */
  readonly limits: Limits;
}

/** What is put around a storage: it does some things another way and passes on the rest (`decorated`). */
export type Decorator = (storage: Storage) => Storage;

/**
 * Opens both endpoints of a job; one that is both is opened once. Asks nothing of a storage yet.
 * @param decorators  put around each storage, the first one innermost
 * @throws SpecError
 */
export async function openEndpoints(
  spec: JobSpec,
  means: Means,
  decorators: readonly Decorator[] = [],
): Promise<Endpoints> {
  const { sourceAlias, patterns, destinationAlias, destinationPath } = locationsOf(spec);
  const job = { ...means, pace: paceOf(spec.options) };
  const open = async (alias: string) =>
    decorators.reduce((storage, decorate) => decorate(storage), await openStorage(alias, job));
  const source = await open(sourceAlias);
  const destination = sourceAlias === destinationAlias ? source : await open(destinationAlias);
  return {
    source,
    patterns,
    destination,
    destinationPath,
    limits: means.limits,
    async [Symbol.asyncDispose]() {
      await source.close();
      await destination.close();
    },
  };
}
