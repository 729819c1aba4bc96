import { SourceChangedError } from '../errors.ts';
import { chunkPaths } from '../job/chunk.ts';
import type { CopiedChunk } from '../job/outcome.ts';
import type { SplitFile } from '../job/unit.ts';
import type { FileStatus } from '../storage/storage.ts';
import { copiedChunks } from './chunks-present.ts';
import { compareContent } from './content.ts';
import type { FileCopy } from './file-copy.ts';
import type { Joining } from './joining.ts';
import type { Route } from './settle.ts';
import { requireUnchanged, requireWhole } from './source.ts';

/** Whether another finish, which was given up for dead, has given the file its name meanwhile. */
export async function isPromotedNow({ file, unit, store }: Joining): Promise<boolean> {
  const { destination, destinationPath, context } = file;
  const { job, signal } = context;
  const [target = ''] = chunkPaths(job, unit);
  const [first] = copiedChunks(await store.chunks(job.id, unit.split.number));
  if (first?.fileId === undefined || (await destination.stat(target, signal))) return false;
  return (await destination.stat(destinationPath, signal))?.fileId === first.fileId;
}

/** Whether the file at the destination is the one that an earlier assembly promoted: it has the inode of the first chunk. */
export async function isOurs(
  file: FileCopy,
  unit: SplitFile,
  [first]: readonly CopiedChunk[],
  there: FileStatus | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (there?.kind !== 'file' || there.lengthBytes !== unit.lengthBytes) return false;
  if (there.fileId !== undefined && first?.fileId !== undefined) return there.fileId === first.fileId;
  return holdsTheSame(file, unit, there, signal);
}

/** Whether a file at the destination has the content of the source. @throws SourceChangedError; SourceVanishedError; StorageError open */
export async function holdsTheSame(
  { source, sourcePath, destination, destinationPath }: Route,
  { lengthBytes, modifiedAtMs, split }: SplitFile,
  there: FileStatus | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (there?.kind !== 'file' || there.lengthBytes !== lengthBytes) return false;
  const [a, b] = [
    { storage: source, path: sourcePath, lengthBytes },
    { storage: destination, path: destinationPath, lengthBytes },
  ];
  try {
    const found = await compareContent(a, b, signal);
    return found === 'checksum' || found === 'read-back';
  } catch (error) {
    if (!(error instanceof SourceChangedError)) throw error;
    // Either of the two has another length: of the source only the source itself can tell.
    await requireWhole(a, signal);
    await requireUnchanged({ ...a, modifiedAtMs, fileId: split.inode }, signal);
    return false;
  }
}
