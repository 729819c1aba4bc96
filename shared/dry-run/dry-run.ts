import pLimit from 'p-limit';
import type { Found } from '../job/job.ts';
import type { Batch, FileUnit } from '../job/unit.ts';
import type { ExtrasCursor } from '../plan/extras.ts';
import type { NameSet } from '../plan/name-set.ts';
import type { PathList } from '../plan/path-list.ts';
import { planStretch } from '../plan/plan.ts';
import type { PlanCursor } from '../plan/planning.ts';
import type { Action } from '../job/would-do.ts';
import { tellExtras } from './extras.ts';
import { lineOf, look, type Looking } from './look.ts';
import type { Told, Totals } from './told.ts';

const COMPARISONS_AT_ONCE = 10;

/** How far a dry run has come. Plain JSON. */
export interface DryRunState extends Totals {
  /** Undefined: from the beginning of what `phase` says. */
  readonly at?: PlanCursor | ExtrasCursor | undefined;
  readonly phase: 'plan' | 'extras' | 'done';
  /** What only the destination has, where that was looked for. */
  readonly found?: Found | undefined;
}

/** What is looked at, and who is told. */
export interface DryRunning extends Looking {
  readonly names: NameSet;
  /** Of `filesFrom`, for a plan. */
  readonly list?: PathList | undefined;
  /** Emits the units that are told of, in place of a plan. */
  readonly batches?: ((emit: (batch: Batch) => Promise<void>) => Promise<void>) | undefined;
  readonly tell: (told: Told) => void;
  readonly signal: AbortSignal;
  /** Asked after each name. Default: it goes on to its end. */
  readonly isOver?: () => boolean;
}

/**
 * Tells what a copy would do to each file, and changes nothing. Files are compared as the copy would compare them.
 *
 * @param from  where an earlier stretch stopped: several tell the same as one
 * @returns how far it came: `done`, or where it was told to stop
 */
export async function dryRunStretch(running: DryRunning, from?: DryRunState): Promise<DryRunState> {
  const stretch = new DryRun(running, from);
  return stretch.go(from);
}

class DryRun {
  readonly #of: DryRunning;
  readonly #would: Record<string, { files: number; bytes: number }>;
  readonly #filtered: Record<string, number>;
  #notSplit: Totals['notSplit'];

  constructor(of: DryRunning, from: DryRunState | undefined) {
    this.#of = of;
    this.#would = structuredClone(from?.would ?? {});
    this.#filtered = { ...from?.filtered };
    this.#notSplit = from?.notSplit ?? {};
  }

  async go(from: DryRunState | undefined): Promise<DryRunState> {
    const { options, signal, tell, isOver = () => false } = this.#of;
    if (from?.phase === 'done') return from;
    if (from?.phase !== 'extras') {
      const at = await this.#plan(from?.at as PlanCursor | undefined);
      signal.throwIfAborted();
      if (at) return { phase: 'plan', at, ...this.#totals };
    }
    if (!options.delete && options.trackMissing === '') return { phase: 'done', ...this.#totals };
    const at = from?.phase === 'extras' ? (from.at as ExtrasCursor) : undefined;
    const found = await tellExtras(this.#of, tell, signal, isOver, at);
    if ('cursor' in found) return { phase: 'extras', at: found.cursor, ...this.#totals };
    if (options.delete && found.files + found.directories > 0)
      this.#would['delete'] = { files: found.files, bytes: found.bytes };
    return { phase: 'done', found, ...this.#totals };
  }

  get #totals(): Totals {
    return { would: this.#would, notSplit: this.#notSplit, filtered: this.#filtered };
  }

  async #plan(from: PlanCursor | undefined): Promise<PlanCursor | undefined> {
    const { batches, tell, options, isOver } = this.#of;
    const limit = pLimit(COMPARISONS_AT_ONCE);
    const emit = async ({ units }: Batch) => {
      // Chunks are told of with their file.
      const files = units.filter((unit) => unit.kind === 'file');
      const decided = await Promise.all(files.map((unit) => limit(() => look(this.#of, unit, this.#of.signal))));
      for (const [index, one] of decided.entries()) {
        const unit = files[index];
        if (unit) this.#tell(unit, one.action, one.reason);
      }
    };
    if (batches) {
      await batches(emit);
      return undefined;
    }
    const planned = await planStretch({
      ...this.#of,
      emit,
      makeDirectories: false,
      onTypeChange: options.delete ? () => 'replaced' : undefined,
      onSettled: (unit, { reason }) => this.#tell(unit, 'skip', reason),
      onLeftOut: (path, why) => {
        this.#filtered[why] = (this.#filtered[why] ?? 0) + 1;
        tell({ type: 'filtered', source: path, by: why });
      },
      ...(isOver ? { isOver } : {}),
      from,
    });
    if ('cursor' in planned) return planned.cursor;
    this.#notSplit = planned.notSplit;
    return undefined;
  }

  #tell(unit: FileUnit, action: Action, reason: string): void {
    const total = (this.#would[action] ??= { files: 0, bytes: 0 });
    total.files += 1;
    total.bytes += unit.lengthBytes;
    this.#of.tell(lineOf(this.#of, unit, { action, reason }));
  }
}
