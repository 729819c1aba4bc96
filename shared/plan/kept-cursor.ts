import type { PlanCursor } from './planning.ts';

/** Raised with every change of what a cursor is made of. Cursors had none at first. */
const VERSION = 6;

/** Where a plan stopped. Plain JSON. */
export interface KeptPlan {
  readonly cursor: PlanCursor;
  /** How many type changes it has come by. */
  readonly typeChanges: number;
}

/** A plan's cursor as it is kept for an invocation that may be of another version. Plain JSON. */
export function keptCursor(plan: KeptPlan): object {
  return { version: VERSION, ...plan };
}

/** The cursor in what was kept. What another version kept is none: the plan begins anew, which is safe. */
export function cursorIn(kept: unknown): KeptPlan | undefined {
  const isKnown = typeof kept === 'object' && kept !== null && 'version' in kept && kept.version === VERSION;
  return isKnown ? (kept as unknown as KeptPlan) : undefined;
}
