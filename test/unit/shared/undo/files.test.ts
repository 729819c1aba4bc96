import { describe, expect, it } from 'vitest';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { type Candidate, fileStep } from '../../../../shared/undo/files.ts';
import type { FileStatus, Storage } from '../../../../shared/storage/storage.ts';
import { never } from '../../../support/files.ts';
import { newJob } from '../../../support/outcomes.ts';

const STARTED = 1_700_000_000_000;
const ENDED = STARTED + 60_000;

const file = (changes: Partial<FileStatus> = {}): FileStatus => ({
  ...{ name: 'f', kind: 'file', lengthBytes: 5, modifiedAtMs: STARTED + 1000, accessedAtMs: 0, blockBytes: 1 },
  ...{ replication: 1, owner: 'o', group: 'g', permission: '644', hasAcl: false, encrypted: false, stripe: undefined },
  fileId: 7,
  ...changes,
});

/** A cluster on which these paths stand. */
const standing = (statuses: Record<string, FileStatus | undefined>): Storage => {
  const stat = (path: string) => Promise.resolve(statuses[path]);
  return { stat } as Partial<Storage> as Storage;
};

const jobOf = (backupDir = '/kept') =>
  newJob({
    id: 'J',
    spec: parseJobSpec({ source: 'a:/in', destination: 'b:/out', options: { backupDir } }),
    roots: [{ source: '/in', destination: '/out', kind: 'directory' }],
    startedAtMs: STARTED,
    endedAtMs: ENDED,
    outcome: 'Successful',
  });

const unit: FileUnit = {
  ...{ kind: 'file', root: 0, path: 'f', lengthBytes: 5, modifiedAtMs: 1, blockBytes: 1, decision: 'overwrite' },
  replaces: 3,
};
const candidate = (changes: Partial<Candidate> = {}): Candidate => ({
  path: '/out/f',
  named: '/out/f',
  unit,
  made: { bytes: 5, fileId: 7, modifiedAtMs: STARTED + 1000 },
  isGuess: false,
  ...changes,
});

const old = file({ fileId: 3, lengthBytes: 2 });
const changed = 'it was changed or replaced since the job';

describe('what is done about a file that a job made', () => {
  it.each<[string, FileStatus | undefined, FileStatus | undefined, Partial<Candidate>, object | undefined]>([
    ['is gone, with a backup', undefined, old, {}, { action: 'put back', from: '/kept/J/f', bytes: 2 }],
    ['is gone, without one', undefined, undefined, {}, undefined],
    ['is gone, and a directory was kept', undefined, file({ kind: 'directory' }), {}, undefined],
    ['stands, with a backup', file(), old, {}, { action: 'put back', bytes: 2 }],
    ['stands, and was new', file(), undefined, {}, { action: 'remove', bytes: 5 }],
    ['stands where a directory was deleted', file(), file({ kind: 'directory' }), {}, { action: 'remove' }],
    [
      'replaced one whose backup is gone',
      file(),
      undefined,
      { made: { bytes: 5, fileId: 7, replaced: true } },
      { action: 'leave', reason: expect.stringContaining('its backup is not at /kept/J/f any more') as string },
    ],
    ['gave way to the old one already', file({ fileId: 3 }), undefined, {}, undefined],
    ['gave way to an older directory already', file({ kind: 'directory', fileId: 2 }), undefined, {}, undefined],
    [
      'gave way to a directory from before the job, where no inode is known',
      file({ kind: 'directory', fileId: 2, modifiedAtMs: STARTED - 10_001 }),
      undefined,
      { made: { bytes: 5 } },
      undefined,
    ],
    [
      'gave way to a newer directory',
      file({ kind: 'directory', fileId: 8, modifiedAtMs: STARTED - 10_001 }),
      undefined,
      {},
      { action: 'leave', reason: changed },
    ],
    ['has another inode', file({ fileId: 8 }), old, {}, { action: 'leave', reason: changed }],
    ['has another length', file({ lengthBytes: 6 }), old, {}, { action: 'leave', reason: changed }],
    ['has another time', file({ modifiedAtMs: STARTED }), old, {}, { action: 'leave', reason: changed }],
    ['is a directory now', file({ kind: 'directory' }), old, {}, { action: 'leave', reason: changed }],
    ['has no inode that is told', file({ fileId: undefined }), undefined, {}, { action: 'remove' }],
  ])('that %s', async (_, there, kept, changes, step) => {
    const destination = standing({ '/out/f': there, '/kept/J/f': kept });
    const found = await fileStep({ job: jobOf(), destination }, candidate(changes), never);
    if (step === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ path: '/out/f', ...step });
  });

  it.each([
    [STARTED - 10_001, 'leave'],
    [STARTED - 10_000, 'remove'],
    [ENDED + 10_000, 'remove'],
    [ENDED + 10_001, 'leave'],
  ])('without a backup, of the time %i: %s', async (modifiedAtMs, action) => {
    const destination = standing({ '/out/f': file({ modifiedAtMs }) });
    const found = await fileStep({ job: jobOf(''), destination }, candidate({ made: { bytes: 5 } }), never);
    expect(found?.action).toBe(action);
  });

  it.each([
    ['what it may have made goes', file(), undefined, {}, 'remove'],
    ['a file of before that it may have replaced stays', file(), undefined, { replaced: true as const }, undefined],
    ['one whose backup is there comes back', file(), old, { replaced: true as const }, 'put back'],
    ["somebody else's is not told of", file({ lengthBytes: 9 }), undefined, {}, undefined],
    ["somebody else's in place of one with a backup is", file({ lengthBytes: 9 }), old, {}, 'leave'],
  ])('of a job that was killed before it could tell: %s', async (_, there, kept, made, action) => {
    const destination = standing({ '/out/f': there, '/kept/J/f': kept });
    const guess = candidate({ made: { bytes: 5, ...made }, isGuess: true });
    expect((await fileStep({ job: jobOf(), destination }, guess, never))?.action).toBe(action);
  });
});
