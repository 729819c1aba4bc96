import { StorageError } from './errors.ts';
import type { Storage } from './storage.ts';

/**
 * What a storage offers beyond the contract, for who cannot do without.
 * @param path  what it is needed for
 * @throws StorageError unsupported where the storage lacks it
 */
export function offered<K extends 'posix' | 'hadoop'>(
  storage: Storage,
  name: K,
  path: string,
): NonNullable<Storage[K]> {
  const member = storage[name];
  if (member) return member;
  const where = { operation: 'PRESERVE', path };
  throw new StorageError('unsupported', 'unsupported', '', where, {
    reason: `${storage.name} keeps no such attribute`,
  });
}
