import type { FileStatus } from '../storage/storage.ts';
import type { Drift } from './drift.ts';

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

/** What a difference is, for a person: nothing to be said of what one side alone has. */
export function toldOf(difference: Difference): string {
  switch (difference.type) {
    case 'missing':
    case 'extra':
      return '';
    case 'different':
      switch (difference.by) {
        case 'type':
          return `a ${difference.sourceKind}, at the destination a ${difference.destinationKind}`;
        case 'length':
          return `${difference.sourceBytes} bytes, at the destination ${difference.destinationBytes}`;
        case 'content':
          return `content, of ${difference.sourceBytes} bytes`;
      }
    case 'attributes':
      return Object.entries(difference.attributes)
        .map(([name, [source, destination]]) => `${name} ${source}, at the destination ${destination}`)
        .join('; ');
    case 'open':
    case 'unknown':
      return difference.reason;
  }
}
