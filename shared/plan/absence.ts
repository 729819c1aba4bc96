import { FanoutError } from '../errors.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';

/**
 * Looks once more which of some names a directory has: by listing it, so that a directory that cannot be listed, or is none any more, is
 * not taken for one that has none of them.
 *
 * @param names  in the order of the storage
 * @returns the kind of each that is there; undefined where the directory could not be listed
 */
export async function presentIn(
  storage: Storage,
  directory: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FileStatus['kind']> | undefined> {
  const present = new Map<string, FileStatus['kind']>();
  const wanted = new Set(names);
  const last = names.at(-1) ?? '';
  try {
    for await (const page of storage.list(directory, signal, before(names[0] ?? ''))) {
      for (const { name, kind } of page) {
        // A file is listed as itself, without a name.
        if (name === '') return undefined;
        if (wanted.has(name)) present.set(name, kind);
      }
      const end = page.at(-1)?.name;
      if (end !== undefined && storage.order(end, last) >= 0) break;
    }
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    return undefined;
  }
  return present;
}

/** A name that comes shortly before another one in the order of any storage; undefined where none is known. */
function before(name: string): string | undefined {
  const characters = Array.from(name);
  return characters.length > 1 ? characters.slice(0, -1).join('') : undefined;
}
