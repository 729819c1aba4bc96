import type { Deadline } from '../deadline.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';
import { requireSettled } from '../job/ending.ts';
import type { Job } from '../job/job.ts';
import { type ManifestPosition, manifestStart } from '../job/manifest-lines.ts';
import { withPlanned } from '../job/outcome.ts';
import type { AnyBatch } from '../job/unit.ts';
import { type Summary, summaryOf } from '../job/verification.ts';
import type { CompareUnit } from '../verify/compare-unit.ts';
import { untold } from '../verify/verify-batch.ts';
import type { Services } from './services.ts';

/** How far the end of a verification has come. Plain JSON. */
type Cursor =
  | { readonly phase: 'deaths'; readonly at: ManifestPosition }
  /** What was found of files goes into the report. */
  | { readonly phase: 'report'; readonly after?: string; readonly parts: number };

const FINDINGS_AT_ONCE = 1000;

/**
 * Adds up what a verification has found, and completes its report: as far as there is time. Safe to run again, and goes on where it stopped.
 *
 * @returns the ended job; undefined when the time was over: call again
 * @throws IncompleteError when files are not accounted for
 */
export async function finishVerification(
  job: Job,
  endpoints: Endpoints,
  services: Services,
  owner: string,
  deadline: Deadline,
): Promise<Job | undefined> {
  const { store, reports } = services;
  const { id } = job;
  if (job.phase !== 'finishing') await store.update(id, { phase: 'finishing' });
  const first: Cursor = { phase: 'deaths', at: manifestStart };
  let cursor = ((await store.finishCursor(id)) as Cursor | undefined) ?? first;
  if (cursor.phase === 'deaths') {
    const at = await tellDeaths(job, endpoints, services, owner, deadline, cursor.at);
    cursor = at ? { phase: 'deaths', at } : { phase: 'report', parts: job.report?.parts ?? 0 };
    await store.keepFinishCursor(id, cursor);
    if (cursor.phase === 'deaths') return undefined;
  }
  const recorded = await store.counters(id);
  requireSettled(job, recorded);
  const report = reports.writer(id, cursor.parts);
  let { after } = cursor;
  for (;;) {
    const page = await store.failures(id, FINDINGS_AT_ONCE, after);
    for (const { findings = [] } of page) for (const finding of findings) report.add(finding);
    after = page.at(-1)?.sequence ?? after;
    if (page.length < FINDINGS_AT_ONCE) break;
    const isOver = deadline.isNear();
    if (!report.isFull && !isOver) continue;
    await report.flush();
    await store.keepFinishCursor(id, { phase: 'report', after, parts: report.parts });
    if (isOver) return undefined;
  }
  const summary = summaryOf(withPlanned(recorded, job), job.spec.verify?.level ?? 'checksum', job.notes ?? []);
  const endedAtMs = Date.now();
  report.add({ type: 'summary', ...summary, ...placesOf(job, endedAtMs) });
  await report.flush();
  const outcome = summary.outcome === 'equal' ? 'Successful' : 'Failed';
  const ending = {
    phase: 'done',
    outcome,
    endedAtMs,
    error: verdicts[summary.outcome],
    report: { parts: report.parts },
  } as const;
  await store.endFinish(id, ending);
  return { ...job, ...ending };
}

const verdicts: Readonly<Record<Summary['outcome'], string | undefined>> = {
  equal: undefined,
  different: 'the trees differ',
  unknown: 'it could not tell of everything whether the trees are equal',
};

function placesOf({ spec, startedAtMs }: Job, endedAtMs: number) {
  const [startedAt, endedAt] = [startedAtMs, endedAtMs].map((atMs) => new Date(atMs).toISOString());
  return { source: spec.source[0], destination: spec.destination, startedAt, endedAt };
}

/** Of files whose comparers died each time nothing can be told. @returns where it stopped before the end */
async function tellDeaths(
  job: Job,
  { source, destination }: Endpoints,
  { store, manifests }: Services,
  owner: string,
  deadline: Deadline,
  from: ManifestPosition,
): Promise<ManifestPosition | undefined> {
  const { id } = job;
  if (!(await store.hasDeaths(id))) return undefined;
  let at = from;
  for await (const line of manifests.read(id, from)) {
    const error = await store.deathOf(id, line.batch);
    if (error !== undefined) {
      const { done } = await store.claim(id, line.batch, owner);
      const reason = `its copier died each time it was tried: ${error} (look into the copy Lambda's log, then verify again)`;
      const batch = line as unknown as AnyBatch<CompareUnit>;
      const outcomes = untold({ job, source, destination }, batch, (index) => done.has(index), reason);
      await store.record(id, line.batch, owner, outcomes);
      await store.release(id, line.batch, owner);
    }
    at = line.next;
    if (deadline.isNear()) return at;
  }
  return (await store.forgetDeaths(id, () => deadline.isNear())) ? undefined : at;
}
