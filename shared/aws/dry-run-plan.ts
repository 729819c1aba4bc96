import type { Deadline } from '../deadline.ts';
import { dryRunStretch, type DryRunState } from '../dry-run/dry-run.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';
import { RefusedError } from '../errors.ts';
import { requireFewDeletes } from '../finish/delete-brake.ts';
import type { Job } from '../job/job.ts';
import { hasList } from '../job/spec.ts';
import { NamesOnDisk } from '../machine/name-set.ts';
import type { PlanCursor } from '../plan/planning.ts';
import type { Planned } from './plan-step.ts';
import type { Services } from './services.ts';

/** Raised with every change of what a cursor is made of. */
const VERSION = 1;

/** Where a dry run stopped. Plain JSON. */
interface KeptDryRun {
  readonly version: typeof VERSION;
  readonly state: DryRunState;
  /** Of the report. */
  readonly parts: number;
}

/**
 * Decides what would be done to each file, as far as there is time, and tells it in the report. Nothing is handed out to copiers, and nothing made.
 * @returns undefined when the time was over: what was told is kept
 */
export async function planDryRun(
  job: Job,
  { source, destination }: Endpoints,
  services: Services,
  deadline: Deadline,
  signal: AbortSignal,
): Promise<Planned | undefined> {
  const { manifests, reports, lists, takenNames } = services;
  const { id, roots, spec } = job;
  const { options } = spec;
  const resumed = await manifests.resume(id);
  const kept = keptIn(resumed?.cursor);
  const writer = resumed && kept ? resumed.writer : await manifests.create(id);
  const report = reports.writer(id, kept?.parts ?? 0);
  using names = new NamesOnDisk();
  const namesKept = namesIn(kept?.state);
  await takenNames.refill(id, names, namesKept);
  using list = hasList(options) ? await lists.open(id, roots[0]?.source ?? '/') : undefined;
  const running = {
    ...{ source, destination, roots, options, names, list, signal },
    tell: (told: object) => report.add(told),
    // What is told is held until it makes a part of the report.
    isOver: () => deadline.isNear() || report.isFull,
  };
  let state: DryRunState | undefined = kept?.state;
  do {
    state = await dryRunStretch(running, state);
    await report.flush();
  } while (state.phase !== 'done' && !deadline.isNear());
  const { parts } = report;
  if (state.phase !== 'done') {
    await takenNames.keep(id, names, namesKept);
    await writer.suspend({ version: VERSION, state, parts } satisfies KeptDryRun);
    return undefined;
  }
  await writer.close();
  const files = Object.values(state.would);
  const would = Object.entries(state.would).flatMap(([action, total]) => [
    [`would.files.${action}`, total.files] as const,
    [`would.bytes.${action}`, total.bytes] as const,
  ]);
  const filtered = Object.entries(state.filtered).map(([why, count]) => [`filtered.${why}`, count] as const);
  return {
    expected: {
      expectedFiles: files.reduce((sum, total) => sum + total.files, 0),
      expectedBytes: files.reduce((sum, total) => sum + total.bytes, 0),
      planned: Object.fromEntries([...would, ...filtered]),
      notSplit: state.notSplit,
      report: { parts },
      notes: refusalsOf(options, state),
    },
    ready: { batches: 0, key: manifests.keyOf(id) },
  };
}

/** How many names flattened files had taken when a plan stopped. */
function namesIn(state: DryRunState | undefined): number {
  return state?.phase === 'plan' ? ((state.at as PlanCursor | undefined)?.names ?? 0) : 0;
}

/** Why the job would delete nothing, as a copy would say it. */
function refusalsOf(options: Job['spec']['options'], { found }: DryRunState): string[] {
  if (!found || !options.delete) return [];
  try {
    requireFewDeletes(options, found);
    return [];
  } catch (error) {
    if (error instanceof RefusedError) return [error.message];
    throw error;
  }
}

function keptIn(cursor: unknown): KeptDryRun | undefined {
  const isKnown = typeof cursor === 'object' && cursor !== null && 'version' in cursor && cursor.version === VERSION;
  return isKnown ? (cursor as KeptDryRun) : undefined;
}
