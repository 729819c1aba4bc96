import type { Job } from '../job/job.ts';
import type { ManifestStore } from '../job/manifest.ts';
import { manifestStart } from '../job/manifest-lines.ts';
import type { S3Manifests } from './s3-manifest.ts';

/** Where lines of a second pass are, as positions tell it: behind any of the first, whose object has at most 5 TiB. */
const BEHIND_BYTES = 2 ** 50;

/** What the manifest of a job's second pass is called among the manifests: an object in S3 does not grow. */
export function secondManifestOf(id: string): string {
  return `${id}.second`;
}

/** The manifests, where the one of a job is all it has: the lines of its second pass, once that is planned, come behind those of its first. */
export function manifestsOf({ id, typeChanges }: Job, manifests: S3Manifests): Pick<ManifestStore, 'read'> {
  if (!typeChanges?.isPlanned) return manifests;
  return {
    async *read(name, from = manifestStart) {
      const isBehind = from.offsetBytes >= BEHIND_BYTES;
      if (name !== id || !isBehind) yield* manifests.read(name, from);
      if (name !== id) return;
      const at = isBehind ? from : { ...from, offsetBytes: BEHIND_BYTES };
      yield* manifests.read(secondManifestOf(id), at, BEHIND_BYTES);
    },
  };
}
