import type { Storage } from './storage.ts';

/**
 * A storage that does some things another way. Everything else, what it can do beyond the contract included, is the inner one's: a
 * decorator need not know which optional members there are.
 */
export function decorated(inner: Storage, own: Partial<Storage>): Storage {
  return new Proxy(inner, {
    get(storage, name) {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name) as unknown;
      const member = Reflect.get(storage, name, storage) as unknown;
      // Private fields are the inner object's: its methods must be called on it. An order is no method, and known by its identity.
      return typeof member === 'function' && name !== 'order' ? (member.bind(storage) as unknown) : member;
    },
  });
}
