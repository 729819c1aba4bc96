import { type Decorator, type Endpoints, openEndpoints } from '../endpoints/endpoints.ts';
import { changesNothing, type JobSpec } from '../job/spec.ts';
import { spread } from '../limits/leases.ts';
import { Limits } from '../limits/limits.ts';
import { readOnly } from '../storage/read-only.ts';
import { accessOfJob } from './access.ts';
import type { Services } from './services.ts';

/** How soon a copier sees that somebody changed the limits of its job, ms. */
const LOOK_EVERY_MS = 5000;
/** Copiers begin together, and one item of a table takes a thousand writes a second: their first leases are spread over this, ms. */
const FIRST_WITHIN_MS = 1000;

/** Both endpoints of a job that was begun, with the credentials that its planner left for it. @throws SpecError */
export async function endpointsOfJob(services: Services, job: string, spec: JobSpec): Promise<Endpoints> {
  const accessTo = (alias: string) => accessOfJob(services, job, alias);
  // The zone of timetables was looked for before the job began. What was changed since must not keep it from being finished or closed.
  const limits = new Limits(spec.options);
  const { store } = services;
  limits.follow(job, { get: (id) => store.get(id), ...spread(store, FIRST_WITHIN_MS) }, LOOK_EVERY_MS);
  const means = { accessTo, disk: undefined, contact: 'known', log: services.log, limits } as const;
  return openEndpoints(spec, means, decoratorsOf(spec));
}

/** A job that changes nothing has no storage that it could change. */
export function decoratorsOf(spec: JobSpec): Decorator[] {
  return changesNothing(spec) ? [readOnly] : [];
}
