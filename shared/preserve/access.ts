import { offered } from '../storage/offered.ts';
import { FanoutError } from '../errors.ts';
import {
  bareAcl,
  hasDefaults,
  isSticky,
  masked,
  modeBeside,
  narrowed,
  narrowedAcl,
  sameAcl,
  samePermission,
  withoutAcl,
} from '../storage/acl.ts';
import type { Storage } from '../storage/storage.ts';
import type { Attributes } from './attributes.ts';

/** Mode and ACL go together: beside an ACL the mode's middle digit is the mask, and not what the group may do. */
export interface WantedAccess {
  /** Octal. */
  readonly permission?: string | undefined;
  /** Reads the whole ACL that stands beside the permission; undefined where there is none. */
  readonly acl?: (() => Promise<string | undefined>) | undefined;
  /** Whether the path is to have that ACL, or none; without, only a mode that gives nobody more. */
  readonly setsAcl?: boolean | undefined;
}

/** Whose access is set. */
export interface Guarded {
  readonly storage: Storage;
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** What it has now; `hasAcl` also where it may have inherited one. */
  readonly present: Pick<Attributes, 'hasAcl'> & Partial<Attributes>;
  readonly isNew: boolean;
}

/** Why the path has another owner or group than its rights were made for. */
export interface Ownership {
  readonly owner: FanoutError | undefined;
  readonly group: FanoutError | undefined;
}

type Report = (attribute: 'acl' | 'permission', error: FanoutError) => void;

/**
 * Sets ACL and mode so that the path has those entries and no other: what it inherited from a directory's default ACL is removed.
 * Where the ACL or the ownership cannot be kept, rights shrink, and nobody gets one that the wanted access does not give.
 *
 * @param lost  what of the ownership could not be kept
 * @param report  told of each attribute that is not kept exactly
 * @returns whether anything was set
 * @throws FanoutError when not even the mode can be set
 */
export async function setAccess(
  { permission, acl, setsAcl = false }: WantedAccess,
  guarded: Guarded,
  lost: Ownership,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  if (permission === undefined) return false;
  const losing = { owner: lost.owner !== undefined, group: lost.group !== undefined };
  const because = lost.group ?? lost.owner;
  let spec: string | undefined;
  let mode = permission;
  try {
    spec = await acl?.();
    // An ACL that was removed since it was listed has left its mask in the listed mode.
    if (acl && (spec === undefined || !setsAcl)) mode = withoutAcl(permission, spec);
    if (setsAcl && (spec !== undefined || guarded.present.hasAcl)) {
      const target = spec === undefined ? bareAcl(narrowed(mode, losing)) : narrowedAcl(spec, losing);
      if (because && target !== (spec ?? bareAcl(mode))) report('permission', because);
      return await setAcl(target, narrowed(mode, losing), guarded, signal);
    }
  } catch (error) {
    report('acl', asLoss(error));
    if (acl) mode = withoutAcl(permission, spec);
  }
  const allowed = narrowed(mode, losing);
  if (because && !samePermission(allowed, mode)) report('permission', because);
  const { present, isNew } = guarded;
  if (setsAcl || isNew || !present.hasAcl || present.permission === undefined)
    return setMode(allowed, setsAcl, guarded, signal);
  // Beside entries that stay the middle digit is their mask: a wider one would let them in.
  const kept = masked(allowed, present.permission);
  if (!samePermission(kept, allowed)) report('permission', new MaskKeptError(guarded.path));
  return setMode(kept, setsAcl, guarded, signal);
}

/** Only what differs. Setting access entries sets the mode as well, but for the sticky bit. */
async function setAcl(target: string, permission: string, guarded: Guarded, signal: AbortSignal): Promise<boolean> {
  const { storage, path, kind, present, isNew } = guarded;
  const there =
    present.hasAcl && !isNew
      ? await offered(storage, 'hadoop', path).acl(path, signal)
      : bareAcl(present.permission ?? permission);
  let changed = false;
  if (isNew || !sameAcl(target, there)) {
    await offered(storage, 'hadoop', path).setAcl(path, target, signal);
    changed = true;
  }
  if (kind === 'directory' && hasDefaults(there) && !hasDefaults(target)) {
    await offered(storage, 'hadoop', path).removeDefaultAcl(path, signal);
    changed = true;
  }
  if (isSticky(permission) !== isSticky(present.permission ?? '0')) {
    await offered(storage, 'posix', path).setPermission(path, modeBeside(target, isSticky(permission)), signal);
    changed = true;
  }
  return changed;
}

/** A mode beside entries that the path inherited would be their mask, and let them in: so they are removed with it, if they can be. */
async function setMode(mode: string, replaces: boolean, guarded: Guarded, signal: AbortSignal): Promise<boolean> {
  const { storage, path, present } = guarded;
  if (replaces && present.hasAcl) {
    try {
      return await setAcl(bareAcl(mode), mode, guarded, signal);
    } catch (error) {
      asLoss(error);
    }
  }
  if (present.permission !== undefined && samePermission(mode, present.permission)) return false;
  await offered(storage, 'posix', path).setPermission(path, mode, signal);
  return true;
}

/** @throws what is no matter of one attribute */
function asLoss(error: unknown): FanoutError {
  if (error instanceof FanoutError && error.disposition !== 'fail-job') return error;
  throw error;
}

/** The mode of a path whose ACL was not to be touched. */
class MaskKeptError extends FanoutError {
  override readonly name = 'MaskKeptError';
  constructor(path: string) {
    super('its ACL stays, and a wider mask would give its entries more', {
      disposition: 'fail-unit',
      where: { operation: 'SETPERMISSION', path },
      remedy: 'add acl to --attributes',
    });
  }
}
