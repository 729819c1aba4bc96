import { FanoutError, TransportError } from '../errors.ts';
import type { FileSystem } from '../hdfs/filesystem.ts';
import { retry, type RetryPolicy } from '../retry.ts';

export interface Promotion {
  readonly fs: FileSystem;
  readonly temporary: string;
  readonly target: string;
  /** Replace what stands there; without, an existing file is an error and stays. */
  readonly overwrite: boolean;
  readonly lengthBytes: number;
}

/**
 * Gives a verified temporary file its name, in one step. A rename whose answer was lost is not sent again blindly: whether
 * the temporary file is still there tells whether it took place, and the inode number, which a rename
 * keeps, whether what stands at the target is ours.
 */
export async function promote(promotion: Promotion, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  const { fs, temporary, target, overwrite, lengthBytes } = promotion;
  let lost = false;
  let fileId: number | undefined;
  const tookPlace = async () => {
    const left = await fs.stat(temporary, signal);
    if (left) {
      fileId = left.fileId;
      return false;
    }
    const there = await fs.stat(target, signal);
    return there?.lengthBytes === lengthBytes && (fileId === undefined || there.fileId === fileId);
  };
  await retry(
    policy,
    signal,
    (error) => (error instanceof FanoutError && error.disposition === 'retry' ? 'soon' : 'no'),
    async () => {
      if (lost && (await tookPlace())) return;
      try {
        await fs.rename(temporary, target, overwrite, signal);
      } catch (error) {
        // A lost rename may also take place just before the second one, which then finds nothing to rename.
        if (lost && (await tookPlace())) return;
        lost ||= error instanceof TransportError;
        throw error;
      }
    },
  );
}
