import type { FileStatus } from '../storage/storage.ts';
import type { Drift } from './drift.ts';

/** How closely files of the same length are looked at, from quick to thorough. */
export const verifyLevels = ['size', 'checksum', 'read-back'] as const;
export type VerifyLevel = (typeof verifyLevels)[number];

type Kind = FileStatus['kind'];

/** What two trees have at one path, where they are not shown to be alike there. */
export type Difference =
  | { readonly type: 'missing' | 'extra'; readonly kind: Kind; readonly bytes: number }
  | {
      readonly type: 'different';
      readonly by: 'type';
      readonly sourceKind: Kind;
      readonly destinationKind: Kind;
    }
  | {
      readonly type: 'different';
      readonly by: 'length' | 'content';
      readonly sourceBytes: number;
      readonly destinationBytes: number;
    }
  /** Only attributes that were asked for, each as the source and as the destination has it. */
  | { readonly type: 'attributes'; readonly kind: Kind; readonly attributes: Drift }
  /** Whether it differs could not be told. `open`: somebody writes it. */
  | { readonly type: 'open' | 'unknown'; readonly reason: string };

/** A line of a report. Paths are absolute; one of them may not exist. */
export type Finding = Difference & { readonly source: string; readonly destination: string };
