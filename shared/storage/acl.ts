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
  const [user, mask, other] = digitsOf(permission).map(symbols);
  const hasAccessEntries = entries.some((entry) => !entry.startsWith('default:'));
  const base = [`user::${user ?? ''}`, `other::${other ?? ''}`];
  // Without access entries the middle digit is the group's own permission, not a mask.
  base.push(hasAccessEntries ? `mask::${mask ?? ''}` : `group::${mask ?? ''}`);
  return [...base, ...entries].join(',');
}

/** The ACL that is nothing but permission bits: setting it removes every access entry, and sets the bits in the same request. */
export function bareAcl(permission: string): string {
  const [user, group, other] = digitsOf(permission).map(symbols);
  return `user::${user ?? ''},group::${group ?? ''},other::${other ?? ''}`;
}

/** Whether new files and directories in a directory inherit from it. */
export function hasDefaults(spec: string | undefined): boolean {
  return spec?.split(',').some((entry) => entry.startsWith('default:')) ?? false;
}

/** The mode that a listing shows beside an ACL: its middle digit is the mask where there is one. */
export function modeBeside(spec: string, sticky: boolean): string {
  const bits = (name: string) => {
    const entry = spec.split(',').find((one) => one.startsWith(`${name}::`));
    return entry === undefined ? undefined : bitsOf(entry);
  };
  const digits = [bits('user'), bits('mask') ?? bits('group'), bits('other')].map((digit) => digit ?? 0);
  return `${sticky ? '1' : ''}${digits.join('')}`;
}

/** Whether two ACLs grant the same; undefined is the one that is nothing but permission bits. */
export function sameAcl(one: string | undefined, other: string | undefined): boolean {
  const sorted = (spec: string | undefined) => spec?.split(',').sort().join();
  return sorted(one) === sorted(other);
}

/**
 * The permission that a file gets where its ACL cannot be kept. Named entries are gone, so nobody may gain by that: the group gets
 * what `group::` gave under the mask and not the mask itself, others no more than each named user or group had, and the group
 * nothing where the ACL denied everything to somebody by name, who may belong to it.
 *
 * @param spec  undefined where it could not be read: nothing is known of the group then but what others may as well
 */
export function withoutAcl(permission: string, spec: string | undefined): string {
  const [user = 0, mask = 0, other = 0] = digitsOf(permission);
  if (spec === undefined) return octal(permission, user, mask & other, other);
  const entries = spec.split(',').filter((entry) => !entry.startsWith('default:'));
  const group = entries.find((entry) => entry.startsWith('group::'));
  const named = entries.filter((entry) => /^(?:user|group):[^:]/.test(entry)).map((entry) => bitsOf(entry) & mask);
  const others = named.reduce((bits, entry) => bits & entry, other);
  const ofGroup = named.includes(0) ? 0 : (group === undefined ? mask : bitsOf(group)) & mask;
  return octal(permission, user, ofGroup, others);
}

/** What of a file's ownership could not be kept. */
export interface LostOwnership {
  readonly owner: boolean;
  readonly group: boolean;
}

/**
 * A permission for another owner or group than it was made for. Whoever was of the class that is lost falls into another one, and
 * strangers into it: so each class gets only what all of them had.
 */
export function narrowed(permission: string, lost: LostOwnership): string {
  const [user = 0, group = 0, other = 0] = digitsOf(permission);
  const common = (lost.group ? group & other : 7) & (lost.owner ? user : 7);
  return octal(permission, user, group & common, other & common);
}

/** As `narrowed`, of a whole ACL: named entries hold for the same people whoever owns the file. */
export function narrowedAcl(spec: string, lost: LostOwnership): string {
  const entries = spec.split(',');
  const find = (name: string) => entries.find((entry) => entry.startsWith(name));
  const mask = find('mask::');
  const bits = (name: string) => bitsOf(find(name) ?? '---');
  const group = bits('group::') & (mask === undefined ? 7 : bitsOf(mask));
  const digits = digitsOf(narrowed(`${bits('user::')}${group}${bits('other::')}`, lost));
  const replaced: Record<string, number | undefined> = { 'group::': digits[1], 'other::': digits[2] };
  return entries
    .map((entry) => {
      const name = entry.slice(0, -3);
      const bits = replaced[name];
      return bits === undefined || !(lost.owner || lost.group) ? entry : name + symbols(bits);
    })
    .join(',');
}

/** Whether a permission lets the group do what others may not. */
export function favoursGroup(permission: string): boolean {
  const [, group = 0, other = 0] = digitsOf(permission);
  return (group & ~other) !== 0;
}

/** For the owner alone: what a file is while it is written. */
export function closed(permission: string): string {
  const [user = 0] = digitsOf(permission);
  return `${user}00`;
}

/** With what an owner must be allowed to whom CONCAT appends: to read the chunks, and to write the first one. */
export function joinable(permission: string): string {
  const mode = parseInt(permission, 8) | 0o600;
  return mode.toString(8).padStart(3, '0');
}

/** Whether two octal permissions are the same: `0644` is `644`. */
export function samePermission(one: string, other: string): boolean {
  return parseInt(one, 8) === parseInt(other, 8);
}

export function isSticky(permission: string): boolean {
  return (parseInt(permission, 8) & 0o1000) !== 0;
}

function digitsOf(permission: string): number[] {
  return permission.padStart(3, '0').slice(-3).split('').map(Number);
}

function octal(permission: string, user: number, group: number, other: number): string {
  return `${isSticky(permission) ? '1' : ''}${user}${group}${other}`;
}

function bitsOf(entry: string): number {
  const [read, write, execute] = entry.slice(-3);
  return (read === 'r' ? 4 : 0) | (write === 'w' ? 2 : 0) | (execute === 'x' ? 1 : 0);
}

function symbols(bits: number): string {
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
}

/** A mode whose middle digit gives no more than that of another. */
export function masked(permission: string, by: string): string {
  const [user = 0, group = 0, other = 0] = digitsOf(permission);
  const [, mask = 0] = digitsOf(by);
  return octal(permission, user, group & mask, other);
}
