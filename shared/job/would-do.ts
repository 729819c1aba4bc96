import type { Counters } from './outcome.ts';

/** What would be done to a file. */
export type Action = 'copy' | 'overwrite' | 'skip' | 'vanished' | 'changed' | 'fail';

/** What a dry run says would be done to files: `copy`, `skip`, `delete`, … */
export type WouldDo = Readonly<Record<string, { readonly files: number; readonly bytes: number }>>;

/** @param counters  `would.files.copy`, `would.bytes.copy`, … */
export function wouldDo(counters: Counters): WouldDo {
  const of = [...counters].filter(([name]) => name.startsWith('would.files.'));
  return Object.fromEntries(
    of.map(([name, files]) => {
      const action = name.slice('would.files.'.length);
      return [action, { files, bytes: counters.get(`would.bytes.${action}`) ?? 0 }];
    }),
  );
}
