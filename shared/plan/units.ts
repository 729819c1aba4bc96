import { favoursGroup } from '../storage/acl.ts';
import type { FileStatus } from '../storage/storage.ts';
import { attributesOf, chosenAttributes, differIn, sameAttributes } from '../preserve/attributes.ts';
import type { Decision } from '../job/decide.ts';
import type { JobOptions } from '../job/spec.ts';
import type { FileUnit } from '../job/unit.ts';
import type { Inherited } from './inherited.ts';

/** A file of the source, and where it goes. */
export interface Found {
  /** Index of its root. */
  readonly root: number;
  /** Path below the root; empty when the root is the file. */
  readonly path: string;
  /** In a flattened copy: its name directly below the root's destination. */
  readonly flatName?: string;
  readonly source: FileStatus;
  /** What stands under its name at the destination. */
  readonly destination: FileStatus | undefined;
  /** What it gets from the directory that it is written into; undefined where it is not written. */
  readonly inherited?: Inherited | undefined;
}

/** What a copier needs to do what was decided, and not more: 50 million of these stand in a manifest. */
export function unitOf(found: Found, decision: Decision, options: JobOptions, keepsAttributes: boolean): FileUnit {
  const { root, path, flatName, source, destination, inherited } = found;
  return {
    kind: 'file',
    root,
    path,
    ...(flatName === undefined || flatName === path ? {} : { flatName }),
    lengthBytes: source.lengthBytes,
    modifiedAtMs: source.modifiedAtMs,
    blockBytes: source.blockBytes,
    decision: decision.kind,
    ...(decision.reason ? { reason: decision.reason } : {}),
    ...(decision.lasting ? { lasting: true } : {}),
    ...(decision.vanished ? { vanished: decision.vanished } : {}),
    ...(source.encrypted ? { encrypted: true } : {}),
    ...(source.stripe ? { stripe: source.stripe } : {}),
    ...(inherited?.stripe ? { newStripe: inherited.stripe } : {}),
    ...(destination?.fileId === undefined ? {} : { replaces: destination.fileId }),
    ...(decision.lasting || source.kind !== 'file'
      ? {}
      : attributesFor(found, decision.kind === 'skip', options, keepsAttributes)),
  };
}

/** What a copier needs to set attributes with. */
function attributesFor(
  { source, destination, inherited }: Found,
  isSkipped: boolean,
  options: JobOptions,
  keepsAttributes: boolean,
): Partial<FileUnit> {
  const attributes = options.preserve ? attributesOf(source) : undefined;
  const stands = destination && attributesOf(destination);
  const asked = options.attributes.includes('xattr');
  const chosen = chosenAttributes(options);
  const differ =
    stands && (!attributes || (isSkipped ? differIn(chosen, attributes, stands) : !sameAttributes(attributes, stands)));
  const access = chosen.has('permission') || chosen.has('acl') ? attributes : stands;
  const inherits = inherited?.hasAcl ?? false;
  const strangers =
    access !== undefined && favoursGroup(access.permission) && access.group !== (inherited?.group ?? '');
  return {
    ...(attributes ? { attributes } : {}),
    ...(stands && (asked || differ) ? { stands } : {}),
    ...(inherits ? { inherits } : {}),
    ...(keepsAttributes && access && (access.hasAcl || inherits || strangers) ? { closed: true } : {}),
  };
}
