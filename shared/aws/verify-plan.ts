import type { Deadline } from '../deadline.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';
import type { Job } from '../job/job.ts';
import { hasList } from '../job/spec.ts';
import { threadsOf } from '../job/threads.ts';
import { Packer, type PackerState, type Sharing } from '../plan/packer.ts';
import { Comparisons } from '../verify/comparisons.ts';
import { type CompareUnit, compareUnitOf, costOfComparing } from '../verify/compare-unit.ts';
import { Tally, type TallyState } from '../verify/tally.ts';
import { type VerifyCursor, verifyStretch } from '../verify/verify-trees.ts';
import type { Planned } from './plan-step.ts';
import type { Services } from './services.ts';

/** Entries whose attributes are asked for at once, where neither the job nor a cluster sets a number. */
const ASKED_AT_ONCE = 10;
/** Raised with every change of what a cursor is made of. */
const VERSION = 1;

/** Where the walk of a verification stopped. Plain JSON. */
interface KeptVerification {
  readonly version: typeof VERSION;
  readonly walk: VerifyCursor;
  readonly tally: TallyState;
  readonly packer: PackerState<CompareUnit>;
  readonly files: number;
  readonly bytes: number;
  /** Of the report. */
  readonly parts: number;
}

/**
 * Holds the listings of two trees against each other, as far as there is time: what they tell goes into the report, files that are to be compared
 * into the manifest. Makes nothing.
 *
 * @returns undefined when the time was over: what was found is kept
 */
export async function planVerification(
  job: Job,
  { source, destination }: Endpoints,
  services: Services,
  deadline: Deadline,
  signal: AbortSignal,
  sharing: Sharing,
): Promise<Planned | undefined> {
  const { manifests, reports, lists, log } = services;
  const { spec, roots } = job;
  const { level, oneWay } = spec.verify ?? { level: 'checksum', oneWay: false };
  const resumed = await manifests.resume(job.id);
  const kept = keptIn(resumed?.cursor);
  const writer = resumed && kept ? resumed.writer : await manifests.create(job.id);
  const report = reports.writer(job.id, kept?.parts ?? 0);
  const tally = new Tally(kept?.tally);
  const packer = new Packer<CompareUnit>(sharing, (unit) => costOfComparing(unit, level), kept?.packer);
  let [files, bytes] = [kept?.files ?? 0, kept?.bytes ?? 0];
  using list = hasList(spec.options) ? await lists.open(job.id, roots[0]?.source ?? '/') : undefined;
  const threads = threadsOf(job, source, destination, ASKED_AT_ONCE);
  using comparisons = new Comparisons({ ...threads, isAuto: false }, [source, destination], log, signal);
  const stopped = await verifyStretch(
    {
      ...{ source, destination, roots, options: spec.options, level, oneWay, list, comparisons, tally, signal },
      isOver: () => deadline.isNear(),
      async onFinding(finding) {
        report.add(finding);
        if (report.isFull) await report.flush();
      },
      async defer(file) {
        files += 1;
        bytes += file.status.lengthBytes;
        for (const full of packer.add(compareUnitOf(file))) await writer.append(full);
      },
    },
    kept?.walk,
  );
  await report.flush();
  const { parts } = report;
  if (stopped) {
    const state = { walk: stopped, tally: tally.state, packer: packer.state, files, bytes, parts };
    await writer.suspend({ version: VERSION, ...state } satisfies KeptVerification);
    return undefined;
  }
  for (const full of packer.flush()) await writer.append(full);
  await writer.close();
  const { counters, notes } = tally.state;
  const [settled = 0, settledBytes = 0] = [counters['files.compared'], counters['bytes.compared']];
  return {
    expected: {
      expectedFiles: files + settled,
      expectedBytes: bytes + settledBytes,
      planned: counters,
      report: { parts },
      notes,
    },
    ready: { batches: packer.state.next, key: manifests.keyOf(job.id) },
  };
}

function keptIn(cursor: unknown): KeptVerification | undefined {
  const isKnown = typeof cursor === 'object' && cursor !== null && 'version' in cursor && cursor.version === VERSION;
  return isKnown ? (cursor as KeptVerification) : undefined;
}
