import { FanoutError, SourceChangedError, SourceVanishedError } from '../errors.ts';
import { withoutAcl } from '../storage/acl.ts';
import type { FileStatus, Storage } from '../storage/storage.ts';
import { type Again, retry } from '../retry.ts';
import { allOrAbort } from '../all-or-abort.ts';
import { type Attributes, attributesOf } from '../preserve/attributes.ts';
import { wholeFile } from '../storage/budget.ts';
import { compareContent } from './content.ts';
import { decide, type Decision, EXISTS, OPEN_FOR_WRITING } from '../job/decide.ts';
import { requireWhole } from './source.ts';
import { type FileUnit, isFinal, isNeverWritten } from '../job/unit.ts';
import type { JobOptions, Verification } from '../job/spec.ts';
import { hasCode, isOpen } from '../storage/errors.ts';

/** Where one file is copied from and to. */
export interface Route {
  readonly source: Storage;
  readonly sourcePath: string;
  readonly destination: Storage;
  readonly destinationPath: string;
}

/** What is to be done with a unit, now that both files were looked at as closely as it takes. */
export interface Settled {
  /** `equal`: the destination holds the source's bytes. */
  readonly kind: 'copy' | 'overwrite' | 'equal' | 'skip' | 'fail';
  readonly reason: string;
  /** The unit as planned, or as the two files are now. */
  readonly unit: FileUnit;
  /** The file at the destination; undefined when none was looked for or found. */
  readonly there?: FileStatus | undefined;
  /** How an equal file was proved to be equal. */
  readonly proof?: Verification;
}

/**
 * How a unit is looked at. `planned`: as the plan left it. `afresh`: decided anew from both files as they are now, also where the plan refused.
 * `after a claim`: so too, and what stands at the destination may be what an earlier claim put there.
 */
export type Look = 'planned' | 'afresh' | 'after a claim';

/** Comparisons of one file that may end in a refusal that another try seldom mends. */
const DOUBTFUL_TRIES = 3;

/**
 * Settles what the plan left open: compares two files, and decides anew where they are not what was listed: a file that has vanished from the
 * destination is copied, and one that has changed on either side is decided by what it is now. A comparison that fails is tried again as a copy is.
 *
 * @throws SourceVanishedError; StorageError open when somebody writes the source
 */
export async function settle(
  route: Route,
  unit: FileUnit,
  options: JobOptions,
  look: Look,
  signal: AbortSignal,
): Promise<Settled> {
  const { decision, reason = '' } = unit;
  // An earlier claim may have had other orders, and have begun what is to be skipped now.
  const isDecided = look === 'after a claim' ? isNeverWritten(unit) : isFinal(unit, options);
  if (isDecided || (look === 'planned' && decision !== 'compare')) return { kind: kindOf(decision), reason, unit };
  return retry(wholeFile, signal, comparisonAgain(), async () => {
    const seen =
      look === 'planned'
        ? { kind: 'compare' as const, reason, unit }
        : await lookAgain(route, unit, options, look, signal);
    return seen.kind === 'compare' ? compare(route, seen, options, look, signal) : { ...seen, kind: seen.kind };
  });
}

/** Whether a comparison of one file that failed is tried again. For one file: it counts failures. */
export function comparisonAgain(): (error: unknown) => Again {
  let doubtful = 0;
  return (error) => {
    if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
    return hasCode(error, 'other', 'no-block') && ++doubtful >= DOUBTFUL_TRIES ? 'no' : 'soon';
  };
}

type Seen = Omit<Settled, 'kind'> & { readonly kind: FileUnit['decision'] };

async function compare(
  route: Route,
  seen: Seen,
  options: JobOptions,
  look: Look,
  signal: AbortSignal,
): Promise<Settled> {
  const { source, sourcePath, destination, destinationPath } = route;
  const { lengthBytes } = seen.unit;
  let found: Awaited<ReturnType<typeof compareContent>>;
  try {
    const [a, b] = [
      { storage: source, path: sourcePath, lengthBytes },
      { storage: destination, path: destinationPath, lengthBytes },
    ];
    if (lengthBytes === 0) await requireWhole(a, signal);
    found = lengthBytes === 0 ? 'checksum' : await compareContent(a, b, signal);
  } catch (error) {
    if (isOpen(error) || !(error instanceof SourceChangedError || hasCode(error, 'not-found'))) throw error;
    found = 'different';
  }
  if (found === 'checksum' || found === 'read-back') {
    return { ...seen, kind: 'equal', reason: lengthBytes === 0 ? 'both empty' : 'identical content', proof: found };
  }
  // The two files differ: by their content, or because one is not the file that was listed.
  const now = look === 'planned' ? await lookAgain(route, seen.unit, options, look, signal) : seen;
  if (now.kind !== 'compare') return { ...now, kind: now.kind };
  switch (options.existing) {
    case 'update':
    case 'overwrite':
      return { ...now, kind: 'overwrite', reason: 'content differs' };
    case 'skip':
      return { ...now, kind: 'skip', reason: EXISTS };
    case 'fail':
      return {
        ...now,
        kind: 'fail',
        reason: found === 'open' ? `exists and is ${OPEN_FOR_WRITING}` : 'exists and differs',
      };
  }
}

/** Looks at both files as they are now, and decides. */
async function lookAgain(
  route: Route,
  unit: FileUnit,
  options: JobOptions,
  look: Look,
  signal: AbortSignal,
): Promise<Seen> {
  const { source, sourcePath, destination, destinationPath } = route;
  const [status, there] = await allOrAbort(signal, [
    (both) => source.stat(sourcePath, both),
    (both) => destination.stat(destinationPath, both),
  ]);
  if (!status) throw new SourceVanishedError({ operation: 'GETFILESTATUS', path: sourcePath });
  const { kind, reason } = decideAgain(unit, status, there, options, look);
  const { replaces: _, stands: __, ...fresh } = refreshed(unit, status);
  const replaces = there?.fileId === undefined ? {} : { replaces: there.fileId };
  const stands = there?.kind === 'file' ? { stands: standing(unit, there, options) } : {};
  return { kind, reason, unit: { ...fresh, ...replaces, ...stands, decision: kind }, there };
}

/** As `decide`, but a file that this job may have copied itself is compared whatever becomes of others, and so are two empty files of any age. */
function decideAgain(
  unit: FileUnit,
  status: FileStatus,
  there: FileStatus | undefined,
  options: JobOptions,
  look: Look,
): Decision {
  const { existing } = options;
  const decision = decide(status, there, options);
  const isSame = status.kind === 'file' && there?.kind === 'file' && status.lengthBytes === there.lengthBytes;
  const wasPlanned = unit.decision === 'copy' || unit.decision === 'overwrite' || unit.decision === 'compare';
  const mayBeOurs = wasPlanned || (look === 'after a claim' && isAnother(unit, there));
  if (decision.lasting || !isSame || !(mayBeOurs || existing === 'fail' || existing === 'update')) return decision;
  return { kind: 'compare', reason: 'same length' };
}

/** Whether a file is known not to be the one that stood at the destination when the unit was planned: an earlier claim may have made it. */
export function isAnother({ replaces }: FileUnit, there: FileStatus | undefined): boolean {
  return there?.fileId !== undefined && there.fileId !== replaces;
}

/** The attributes that a replaced file's successor keeps: with `--direct` a killed try may have replaced the file already, and its ACL is gone. */
function standing(unit: FileUnit, there: FileStatus, { direct }: JobOptions): Attributes {
  const old = unit.stands ?? unit.attributes;
  const isOurs = direct && unit.replaces !== undefined && there.fileId !== unit.replaces;
  if (!isOurs || !old) return attributesOf(there);
  return old.hasAcl ? { ...old, permission: withoutAcl(old.permission, undefined), hasAcl: false } : old;
}

/** A unit with the source as it is now. */
export function refreshed(unit: FileUnit, status: FileStatus): FileUnit {
  const { lengthBytes, modifiedAtMs, blockBytes, encrypted, stripe } = status;
  const { encrypted: _, stripe: __, ...rest } = unit;
  return {
    ...rest,
    lengthBytes,
    modifiedAtMs,
    blockBytes,
    ...(encrypted ? { encrypted: true } : {}),
    ...(stripe ? { stripe } : {}),
    // Whom the new attributes let in is not known again: the file is closed until they are set.
    ...(unit.attributes
      ? { attributes: attributesOf(status), stands: unit.stands ?? unit.attributes, closed: true }
      : {}),
  };
}

function kindOf(decision: FileUnit['decision']): Exclude<FileUnit['decision'], 'compare'> {
  if (decision === 'compare') throw new Error('a comparison is not settled');
  return decision;
}
