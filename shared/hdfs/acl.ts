/** GETACLSTATUS's answer: named entries, `group::` and the defaults; user, mask and other are in `permission`. */
export interface AclStatus {
  readonly entries: readonly string[];
  /** Octal; its middle digit is the mask. */
  readonly permission: string;
}

/**
 * The whole ACL as SETACL wants it, or undefined when there are only the permission bits.
 * @see Hadoop AclUtil.getAclFromPermAndEntries
 */
export function aclSpec({ entries, permission }: AclStatus): string | undefined {
  if (entries.length === 0) return undefined;
  const [user, mask, other] = permission.padStart(3, '0').slice(-3).split('').map(symbols);
  const hasAccessEntries = entries.some((entry) => !entry.startsWith('default:'));
  const base = [`user::${user ?? ''}`, `other::${other ?? ''}`];
  // Without access entries the middle digit is the group's own permission, not a mask.
  base.push(hasAccessEntries ? `mask::${mask ?? ''}` : `group::${mask ?? ''}`);
  return [...base, ...entries].join(',');
}

function symbols(digit: string): string {
  const bits = Number(digit);
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
}
