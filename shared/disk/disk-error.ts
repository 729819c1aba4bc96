import { type Disposition, messageOf, type Where } from '../errors.ts';
import { type StorageCode, StorageError } from '../storage/errors.ts';

interface Meaning {
  readonly code: StorageCode;
  readonly remedy?: string;
  /** In place of what the code says. */
  readonly disposition?: Disposition;
}

const fewerFiles = 'raise ulimit -n, or use fewer --threads';
const otherName = 'rename it, or copy to another file system';

/**
 * What the system's error numbers mean for a copy: what a moment may mend is tried again, anything that is not in the table too,
 * and the rest costs one try.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: 'not-found' },
  ENOTDIR: { code: 'not-a-directory' },
  EEXIST: { code: 'exists' },
  ENOTEMPTY: { code: 'exists' },
  EACCES: { code: 'denied' },
  EPERM: { code: 'denied' },
  EROFS: { code: 'denied', remedy: 'mount it writable, or name another destination' },
  ENOSPC: { code: 'quota', remedy: 'free space on the disk, or inodes: df, df -i' },
  EDQUOT: { code: 'quota', remedy: 'free space, or raise the quota of the user: quota -s' },
  EFBIG: { code: 'invalid', remedy: 'the disk takes no file of this size (FAT: 4 GiB; ulimit -f)' },
  EISDIR: { code: 'invalid', remedy: 'remove the directory that stands there' },
  ENAMETOOLONG: { code: 'invalid', remedy: otherName },
  EINVAL: { code: 'invalid', remedy: otherName },
  EILSEQ: { code: 'invalid', remedy: otherName },
  ELOOP: { code: 'invalid', remedy: 'mend the symbolic links, which lead in circles' },
  ENXIO: { code: 'invalid' },
  ENODEV: { code: 'invalid' },
  ENOTSUP: { code: 'unsupported' },
  ENOSYS: { code: 'unsupported' },
  EMFILE: { code: 'io', remedy: fewerFiles },
  ENFILE: { code: 'io', remedy: fewerFiles },
  ETXTBSY: { code: 'io', remedy: 'wait until the program that stands there has ended' },
  EBUSY: { code: 'io', remedy: 'wait until nobody uses it' },
  EIO: { code: 'io', remedy: 'check the disk: dmesg, smartctl' },
  ESTALE: { code: 'io', remedy: 'check the network file system' },
};

/** @returns the error of a system call in the words of a copy; anything else as it is */
export function localError(error: unknown, where: Where): unknown {
  const number = codeOf(error);
  if (number === '') return error;
  const { code, ...told } = meanings[number] ?? { code: 'io' };
  // Node's message begins with the number and ends with the call and its paths, which `where` says already.
  const reason = messageOf(error).replace(/, \w+(?: '[^]*')?$/, '');
  return new StorageError(code, number, messageOf(error), where, { reason, ...told });
}

/** The number of a failed system call, such as `ENOENT`; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : '';
}
