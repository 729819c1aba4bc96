import type { Stripe } from '../storage/checksum.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { parentOf } from '../storage/path.ts';

/** What new files get from the directory that they are written into. */
export interface Inherited {
  readonly stripe: Stripe | undefined;
  readonly group: string;
  /** Whether the directory may have a default ACL. */
  readonly hasAcl: boolean;
  readonly ecPolicy: string | undefined;
  readonly storagePolicy: string | undefined;
  /** The directory lies in an encryption zone. */
  readonly encrypted: boolean;
}

export function inheritedFrom({ stripe, group, hasAcl, ecPolicy, storagePolicy, encrypted }: FileStatus): Inherited {
  return { stripe, group, hasAcl, ecPolicy, storagePolicy, encrypted };
}

const nothing: Inherited = {
  stripe: undefined,
  group: '',
  hasAcl: false,
  ecPolicy: undefined,
  storagePolicy: undefined,
  encrypted: false,
};

/** In a directory that may not be there yet: what the nearest one above it gives, since it will be made like that. */
export async function inheritedIn(directory: string, storage: Storage, signal: AbortSignal): Promise<Inherited> {
  for (let above = directory; ; above = parentOf(above)) {
    const status = await storage.stat(above, signal);
    if (status) return inheritedFrom(status);
    if (above === '/') return nothing;
  }
}
