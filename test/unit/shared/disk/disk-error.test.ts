import { describe, expect, it } from 'vitest';
import { localError } from '../../../../shared/disk/disk-error.ts';

const where = { operation: 'WRITE', path: '/a/b' };

function failed(code: string, message = `${code}: it failed, open '/a/b'`): Error {
  return Object.assign(new Error(message), { code, syscall: 'open' });
}

describe('localError', () => {
  it.each([
    ['ENOENT', 'not-found', 'fail-unit', 'still exists'],
    ['EACCES', 'denied', 'fail-unit', 'grant the permission'],
    ['EPERM', 'denied', 'fail-unit', 'grant the permission'],
    ['EROFS', 'denied', 'fail-unit', 'mount it writable'],
    ['EEXIST', 'exists', 'fail-unit', '--force'],
    ['ENOSPC', 'quota', 'fail-unit', 'free space'],
    ['EDQUOT', 'quota', 'fail-unit', 'raise the quota'],
    ['EFBIG', 'invalid', 'fail-unit', 'no file of this size'],
    ['EISDIR', 'invalid', 'fail-unit', 'remove the directory'],
    ['ENOTDIR', 'not-a-directory', 'fail-unit', 'remove the file'],
    ['ENAMETOOLONG', 'invalid', 'fail-unit', 'rename it'],
    ['EINVAL', 'invalid', 'fail-unit', 'rename it'],
    ['ELOOP', 'invalid', 'fail-unit', 'lead in circles'],
    ['EMFILE', 'io', 'retry', 'ulimit -n'],
    ['ENFILE', 'io', 'retry', 'ulimit -n'],
    ['ETXTBSY', 'io', 'retry', 'wait'],
    ['EBUSY', 'io', 'retry', 'wait'],
    ['EIO', 'io', 'retry', 'check the disk'],
    ['ESTALE', 'io', 'retry', 'network file system'],
    ['ESOMETHING', 'io', 'retry', 'it failed'],
  ])('takes %s for %s: %s', (number, code, disposition, says) => {
    const error = localError(failed(number), where);
    expect(error).toMatchObject({ name: 'StorageError', code, disposition, reason: `${number}: it failed` });
    expect((error as Error).message).toContain(says);
  });

  it('says the paths of a rename once', () => {
    const message = `EXDEV: cross-device link not permitted, rename '/a/b' -> '/a, c'`;
    expect(localError(failed('EXDEV', message), where)).toMatchObject({
      message: 'WRITE /a/b: EXDEV: cross-device link not permitted',
    });
  });

  it('leaves what is no failed system call as it is', () => {
    const error = new TypeError('a mistake');
    expect(localError(error, where)).toBe(error);
  });
});
