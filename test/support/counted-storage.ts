import { decorated } from '../../shared/storage/decorated.ts';
import type { Storage } from '../../shared/storage/storage.ts';

/** How often each operation of the contract was asked for. */
export type Counts = Map<string, number>;

/** A storage that counts what it is asked for, the pages of a listing and what is beyond the contract left out. */
export function counted(storage: Storage, counts: Counts): Storage {
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  return decorated(storage, {
    stat: (...asked) => (count('stat'), storage.stat(...asked)),
    list: (...asked) => (count('list'), storage.list(...asked)),
    read: (...asked) => (count('read'), storage.read(...asked)),
    write: (...asked) => (count('write'), storage.write(...asked)),
    rename: (...asked) => (count('rename'), storage.rename(...asked)),
    makeDirectory: (...asked) => (count('makeDirectory'), storage.makeDirectory(...asked)),
    delete: (...asked) => (count('delete'), storage.delete(...asked)),
  });
}
