import type { Storage } from './storage.ts';

/** What may be asked of a member: all of it, nothing, or these members of its own. */
type Allowed = {
  readonly [K in keyof Required<Storage>]: 'all' | 'nothing' | readonly (keyof NonNullable<Storage[K]>)[];
};

const allowed: Allowed = {
  name: 'all',
  maxConcurrency: 'all',
  order: 'all',
  resolve: 'all',
  addressesOf: 'all',
  lockedPaths: 'all',
  stat: 'all',
  list: 'all',
  read: 'all',
  close: 'all',
  isSpanned: 'all',
  replacesAtOnce: 'all',
  countEntries: 'all',
  requireWritable: 'all',
  closedLength: 'all',
  checksums: 'all',
  load: 'all',
  lostConnections: 'all',
  room: 'all',
  write: 'nothing',
  rename: 'nothing',
  makeDirectory: 'nothing',
  delete: 'nothing',
  names: ['mayIgnoreCase', 'unreadable', 'unwritable'],
  posix: [],
  hadoop: ['acl', 'xattrs', 'quotaUsage', 'takenLayout', 'knownRefusal'],
  concatenation: ['obstacle', 'blockBytes'],
  trash: ['obstacle'],
  relocation: ['obstacle'],
  snapshots: ['rootOf', 'names', 'isOpen', 'changes'],
  appending: ['refusal'],
};

/**
 * A storage that is only looked at: whatever might change it throws an error that nobody expects before anything is sent. What is not known here to
 * change nothing is refused.
 */
export function readOnly(inner: Storage): Storage {
  return only(inner, (member) => {
    const may = (allowed as Readonly<Record<string, 'all' | 'nothing' | readonly string[]>>)[member] ?? 'nothing';
    return typeof may === 'string'
      ? may
      : (value: object) => only(value, (own) => (may.includes(own) ? 'all' : 'nothing'));
  });
}

type Look = 'all' | 'nothing' | ((value: object) => object);

function only<T extends object>(inner: T, mayOf: (member: string) => Look): T {
  return new Proxy(inner, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (member === undefined || typeof name === 'symbol') return member;
      const may = mayOf(name);
      if (typeof may === 'function') return may(member as object);
      if (typeof member !== 'function') return member;
      if (may === 'nothing') return refusal(name);
      // As `decorated` does.
      return name === 'order' ? member : (member.bind(target) as unknown);
    },
  });
}

function refusal(name: string): () => never {
  return () => {
    throw new Error(`${name}: this storage is only to be looked at`);
  };
}
