import type { PlanCursor } from './planning.ts';

/** Raised with every change of what a cursor is made of. Cursors had none at first. */
const VERSION = 4;

/** A plan's cursor as it is kept for an invocation that may be of another version. Plain JSON. */
export function keptCursor(cursor: PlanCursor): object {
  return { version: VERSION, cursor };
}

/** The cursor in what was kept. What another version kept is none: the plan begins anew, which is safe. */
export function cursorIn(kept: unknown): PlanCursor | undefined {
  const isKnown = typeof kept === 'object' && kept !== null && 'version' in kept && kept.version === VERSION;
  return isKnown && 'cursor' in kept ? (kept.cursor as PlanCursor) : undefined;
}
