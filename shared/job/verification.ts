import { z } from 'zod';
import type { Counters } from './outcome.ts';

/** How closely files of the same length are looked at, from quick to thorough. */
export const verifyLevels = ['size', 'checksum', 'read-back'] as const;
export type VerifyLevel = (typeof verifyLevels)[number];

/** How two files were shown to be equal, from weak to strong: by their length, by stored checksums, by reading one of them or both. */
export type Proof = 'length' | 'checksum' | 'read-back';

/** What makes a job hold its destination against its source, in place of copying. */
export const verificationSchema = z.strictObject({
  level: z
    .enum(verifyLevels)
    .default('checksum')
    .describe(
      'Files of one length are equal always (size), by stored checksums or where these cannot be compared by what is read (checksum), or by reading both (read-back)',
    ),
  oneWay: z.boolean().default(false).describe('What only the destination has is no difference'),
});

/** Files and directories, and the bytes of the files. */
export interface Counts {
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
}

/** What was found of two trees in all. */
export interface Summary {
  /** `unknown` where anything could not be told, whatever else differs. */
  readonly outcome: 'equal' | 'different' | 'unknown';
  readonly level: VerifyLevel;
  /** Of which nothing is told. */
  readonly equal: Counts;
  /** How files were shown to have one content, those included whose attributes differ. */
  readonly proved: Readonly<Partial<Record<Proof, number>>>;
  readonly missing: Counts;
  readonly extra: Counts;
  readonly different: Readonly<Record<'type' | 'length' | 'content', number>>;
  /** Files and directories, by the attributes that differ. */
  readonly attributes: Readonly<Record<string, number>>;
  readonly open: number;
  readonly unknown: number;
  /** Entries that were left out, by the option that did, or by what they are. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What was not looked at, and what would. */
  readonly untold: readonly string[];
}

/** How many lines a report has without its summary. */
export function findingsIn(counters: Counters): number {
  return counters.get('verify.findings') ?? 0;
}

/** @param notes  what was not looked at, besides what the level leaves out */
export function summaryOf(counters: Counters, level: VerifyLevel, notes: readonly string[]): Summary {
  const count = (name: string) => counters.get(`verify.${name}`) ?? 0;
  const counts = (name: string) => ({
    files: count(`${name}.files`),
    directories: count(`${name}.directories`),
    bytes: count(`${name}.bytes`),
  });
  const group = (name: string): Record<string, number> => {
    const prefix = `verify.${name}.`;
    const of = [...counters].filter(([counter]) => counter.startsWith(prefix));
    return Object.fromEntries(of.map(([counter, value]) => [counter.slice(prefix.length), value]));
  };
  const proved: Summary['proved'] = group('proved');
  const [open, unknown] = [count('open'), count('unknown')];
  const byLevel = untoldAt(level, proved);
  return {
    outcome: open + unknown > 0 ? 'unknown' : findingsIn(counters) > 0 ? 'different' : 'equal',
    level,
    equal: counts('equal'),
    proved,
    missing: counts('missing'),
    extra: counts('extra'),
    different: { type: 0, length: 0, content: 0, ...group('different') },
    attributes: group('attributes'),
    open,
    unknown,
    leftOut: group('leftOut'),
    untold: byLevel === undefined ? notes : [byLevel, ...notes],
  };
}

/** What only another level could tell. */
function untoldAt(level: VerifyLevel, proved: Summary['proved']): string | undefined {
  const files = (number: number) => `${number} ${number === 1 ? 'file' : 'files'}`;
  switch (level) {
    case 'size':
      if (!proved.length) return undefined;
      return `of ${files(proved.length)} of equal length neither the content was compared nor whether somebody writes them: --level checksum tells`;
    case 'checksum':
      if (!proved.checksum) return undefined;
      return `of ${files(proved.checksum)} the stored checksums were compared, and no block was read: --level read-back tells what the disks hold`;
    case 'read-back':
      return undefined;
  }
}
