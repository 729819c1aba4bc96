import { LeftForNext } from '../deadline.ts';
import { FanoutError, messageOf } from '../errors.ts';
import { isExists, isOpen } from '../storage/errors.ts';
import { EXISTS, NOW_A_DIRECTORY, OPEN_FOR_WRITING } from '../job/decide.ts';
import type { Claim } from '../job/job-store.ts';
import type {
  CopiedOutcome,
  FailedOutcome,
  Failure,
  FileOutcome,
  Made,
  OvertakenOutcome,
  SkippedOutcome,
} from '../job/outcome.ts';
import { chosenAttributes } from '../preserve/attributes.ts';
import type { JobOptions, Verification } from '../job/spec.ts';
import type { FileUnit } from '../job/unit.ts';
import { type CopyContext, FileCopy } from './file-copy.ts';
import { isAnother, type Look, settle, type Settled } from './settle.ts';
import { requireTime } from './long-files.ts';
import { copyInParts, promotedInParts } from './parts.ts';
import { dropParts, putOldBack } from './parts-file.ts';
import { overtakenBy } from './source.ts';
import { copyWithTries } from './tries.ts';

/**
 * Copies one file and tells how it ended. Writes to a temporary name, verifies, sets attributes, then promotes: a reader of
 * the destination sees the old file or the whole new one, never a part. Safe to run again.
 *
 * Never throws for one file.
 * @param index  of the unit in its batch
 * @throws fail-job errors, and the signal's reason
 */
export async function transfer(
  context: CopyContext,
  batch: number,
  index: number,
  unit: FileUnit,
  claim: Claim,
): Promise<FileOutcome> {
  const file = new FileCopy(context, batch, index, unit, claim);
  try {
    return await copyUnlessOvertaken(file);
  } catch (error) {
    if (error instanceof LeftForNext) throw error;
    context.signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    if (!(error instanceof FanoutError)) context.log.error({ error, path: file.sourcePath }, 'unexpected error');
    return failed(file, error);
  }
}

/** A file that somebody writes, and one whose source vanished or changed, is no failure of a job that says so; but then nothing may be left of it. */
async function copyUnlessOvertaken(file: FileCopy): Promise<FileOutcome> {
  const { job, signal } = file.context;
  const { openFiles, live } = job.spec.options;
  try {
    return await copyOrLeave(file);
  } catch (error) {
    const isSkipped = isOpen(error) && openFiles === 'skip';
    if (!(isSkipped || (live && overtakenBy(error))) || file.leftPart) throw error;
    signal.throwIfAborted();
    await dropParts(file);
    return isSkipped ? skipped(file, OPEN_FOR_WRITING) : uncopied(file, failureOf(file, error));
  }
}

async function copyOrLeave(file: FileCopy): Promise<FileOutcome> {
  const { job, signal } = file.context;
  const { options } = job.spec;
  const promoted = await promotedInParts(file);
  if (promoted !== undefined) return copied(file, promoted);
  if (file.claim > 1) await putOldBack(file, signal);
  const settled = await settle(file, file.planned, options, lookAt(file, options), signal);
  file.unit = settled.unit;
  switch (settled.kind) {
    case 'copy':
      return copy(file);
    case 'overwrite':
      file.overwrite = true;
      return copy(file);
    case 'equal':
      if (file.claim > 1) await dropParts(file);
      return equal(file, settled);
    case 'skip':
    case 'fail':
      if (await isUnfinished(file, settled)) {
        file.overwrite = true;
        return copy(file);
      }
      if (settled.kind === 'fail') return refused(file, settled.reason);
      if (file.claim > 1) await dropParts(file);
      return kept(file, settled);
  }
}

/** Something may have changed since the plan: the files, or what the job may do about a file that the plan did not copy. */
function lookAt({ claim, planned }: FileCopy, { existing }: JobOptions): Look {
  if (claim > 1) return 'after a claim';
  const mayHaveOtherOrders = planned.decision === 'skip' || (planned.decision === 'fail' && existing !== 'fail');
  return mayHaveOtherOrders ? 'afresh' : 'planned';
}

async function copy(file: FileCopy): Promise<FileOutcome> {
  const { context, destination, destinationPath } = file;
  // A limit of names that one file's refusal told holds for all files after it.
  const unwritable = destination.names?.unwritable(destinationPath);
  if (unwritable !== undefined) return refused(file, unwritable);
  try {
    return copied(file, (await copyInParts(file)) ?? (await copyAtOnce(file)));
  } catch (error) {
    if (context.job.spec.options.existing !== 'skip' || !isExists(error) || file.leftPart) throw error;
    // A file took the name since it was looked for.
    const there = await destination.stat(destinationPath, context.signal);
    if (there?.kind !== 'file') throw error;
    await dropParts(file);
    return kept(file, { reason: EXISTS, there });
  }
}

/** @throws TooLongError before a byte is moved, where no invocation is long enough for it */
function copyAtOnce(file: FileCopy): Promise<Verification> {
  requireTime(file);
  return copyWithTries(file);
}

/** An equal file stood at the destination before; or an earlier claim put it there, and died before it could say so. */
async function equal(file: FileCopy, settled: Settled): Promise<FileOutcome> {
  const { there, proof = 'checksum' } = settled;
  const { job, progress, signal } = file.context;
  const { decision, replaces } = file.planned;
  const isNew = decision === 'copy' || decision === 'overwrite';
  const isAnother = replaces !== undefined && there?.fileId !== undefined && there.fileId !== replaces;
  // The file with the inode that was planned is somebody else's, whatever it holds.
  const isOld = replaces !== undefined && there?.fileId === replaces;
  if (file.claim === 1 || isOld || !(isNew || isAnother)) return kept(file, settled);
  // Without a temporary name a file gets its attributes after its name.
  if (job.spec.options.direct) await file.attributes.set(file.destinationPath, file.unit, [], signal);
  progress.bytes += file.unit.lengthBytes;
  return copied(file, proof);
}

/** Whether a file that differs, and is not the one that was planned, is what an earlier claim left under the final name. */
async function isUnfinished(file: FileCopy, { there }: Settled): Promise<boolean> {
  const { context, planned, claim } = file;
  const mayBeOurs = planned.decision === 'copy' || (claim > 1 && isAnother(planned, there));
  return context.job.spec.options.direct && mayBeOurs && (await file.holdsBeginning(there));
}

export function copied(file: FileCopy, verification: Verification): CopiedOutcome {
  const made = madeOf(file);
  const known = Object.keys(made).length > 0 ? { made } : {};
  return { outcome: 'copied', ...ended(file), verification, ...file.attributes.told(), ...known };
}

/** Where nobody saw whether a file was replaced it may have been, unless none stood there when the job was planned. */
function madeOf({ promoted, overwrite, planned, claim, unit, context }: FileCopy): Made {
  const mayHave = overwrite || planned.decision === 'overwrite' || (claim > 1 && planned.decision !== 'copy');
  const isDated = chosenAttributes(context.job.spec.options).has('times');
  const modifiedAtMs = promoted?.file.modifiedAtMs ?? (isDated ? unit.modifiedAtMs : undefined);
  return {
    ...((promoted?.replaced ?? mayHave) ? { replaced: true } : {}),
    ...(promoted?.file.fileId === undefined ? {} : { fileId: promoted.file.fileId }),
    ...(modifiedAtMs === undefined ? {} : { modifiedAtMs }),
  };
}

export function skipped(file: FileCopy, reason: string): SkippedOutcome {
  return { outcome: 'skipped', ...ended(file), reason };
}

/** Skips a file whose name is taken by a file that stays: attributes that differ are set. */
export async function kept(
  file: FileCopy,
  { reason, there }: Pick<Settled, 'reason' | 'there'>,
): Promise<SkippedOutcome> {
  const told = await file.attributes.update(file.unit, there, file.context.signal);
  return { ...skipped(file, reason), ...told };
}

function refused(file: FileCopy, reason: string): FailedOutcome | OvertakenOutcome {
  const { sourcePath: path, destinationPath, planned } = file;
  const remedy = reason.startsWith('exists') ? ' (use --force to overwrite)' : '';
  const vanished = reason === planned.reason ? planned.vanished : undefined;
  const overtaken = vanished
    ? 'vanished'
    : [NOW_A_DIRECTORY, OPEN_FOR_WRITING].includes(reason)
      ? 'changed'
      : undefined;
  return uncopied(file, {
    path,
    operation: 'PLAN',
    host: '',
    reason: `${destinationPath}: ${reason}${remedy}`,
    ...(overtaken ? { overtaken } : {}),
    ...(vanished === 'directory' ? { directory: true } : {}),
  });
}

/** A file that was not copied: failed, unless the job takes what became of its source for none of its failures. */
export function uncopied(file: FileCopy, failure: Failure): FailedOutcome | OvertakenOutcome {
  const { live } = file.context.job.spec.options;
  const outcome = (live && failure.overtaken) || 'failed';
  return { outcome, ...ended(file), failure };
}

export function failed(file: FileCopy, error: unknown): FailedOutcome {
  return { outcome: 'failed', ...ended(file), failure: failureOf(file, error) };
}

/** What is told of an error that ended a file, or a part of it. */
export function failureOf({ sourcePath }: FileCopy, error: unknown): Failure {
  const { operation = '', host = '' } = error instanceof FanoutError ? (error.where ?? {}) : {};
  const remedy = error instanceof FanoutError && error.remedy ? ` (${error.remedy})` : '';
  const reason = error instanceof FanoutError ? error.reason : messageOf(error);
  const overtaken = overtakenBy(error);
  return { path: sourcePath, operation, host, reason: `${reason}${remedy}`, ...(overtaken ? { overtaken } : {}) };
}

function ended({ index, unit, retries, hosts, hasRemains }: FileCopy) {
  const remains = hasRemains ? { remains: true as const } : {};
  return { unit: index, bytes: unit.lengthBytes, retries, ...(hosts.length > 0 ? { hosts } : {}), ...remains };
}
