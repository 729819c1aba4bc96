import type { JobOptions } from '../shared/job/spec.ts';

/** What a job is kept within, for a person; undefined where it has no limit. */
export function limitsText({ bandwidth, namenodeOps }: JobOptions): string | undefined {
  const bytes = bandwidth === 'off' ? [] : [`bandwidth ${bandwidth}`];
  const requests = namenodeOps === 'off' ? [] : [`${namenodeOps} namenode requests/s`];
  const all = [...bytes, ...requests];
  return all.length > 0 ? `limits: ${all.join(', ')}` : undefined;
}
