import { type Endpoints, openEndpoints } from '../endpoints/endpoints.ts';
import type { JobSpec } from '../job/spec.ts';
import { accessOfJob } from './access.ts';
import type { Services } from './services.ts';

/** Both endpoints of a job that was begun, with the credentials that its planner left for it. @throws SpecError */
export function endpointsOfJob(services: Services, job: string, spec: JobSpec): Promise<Endpoints> {
  const accessTo = (alias: string) => accessOfJob(services, job, alias);
  return openEndpoints(spec, { accessTo, disk: undefined, contact: 'known', log: services.log });
}
