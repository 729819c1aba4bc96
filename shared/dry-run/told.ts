/** What a dry run tells, a line each. */
export type Told =
  /** What would be done to a file, or to what only the destination has. */
  | {
      readonly type: 'plan';
      readonly action: string;
      /** Left out of what only the destination has. */
      readonly source?: string;
      readonly destination: string;
      readonly kind?: 'file' | 'directory';
      readonly files?: number;
      /** Left out of what could not be listed. */
      readonly bytes?: number;
      readonly reason: string;
    }
  /** What the user's choice left out, and the option that did. */
  | { readonly type: 'filtered'; readonly source: string; readonly by: string }
  /** A name that a pattern left out because it begins with a dot. */
  | { readonly type: 'hidden'; readonly source: string; readonly reason: string };

/** What a dry run comes to. Plain JSON. */
export interface Totals {
  /** Files and bytes by what would be done to them. */
  readonly would: Readonly<Record<string, { readonly files: number; readonly bytes: number }>>;
  /** Long files that would go as one stream, by the reason. */
  readonly notSplit: Readonly<Record<string, number>>;
  /** Paths that were left out, by the option that did. */
  readonly filtered: Readonly<Record<string, number>>;
}

export function hidden(path: string): Told {
  return { type: 'hidden', source: path, reason: 'it begins with a dot: only a pattern that does so too takes it' };
}
