import { SpecError } from '../errors.ts';
import type { JobSpec } from '../job/spec.ts';

/** `cluster:/path` taken apart. */
export interface Location {
  /** Alias from the cluster configuration, or `local`. */
  readonly cluster: string;
  /** As written: may be relative, may hold globs. */
  readonly path: string;
}

export function parseLocation(text: string): Location {
  const match = /^([A-Za-z0-9][\w.-]*):([^]*)$/.exec(text);
  const [, cluster, path] = match ?? [];
  if (!cluster || !path) {
    throw new SpecError(`"${text}" is no location`, 'write cluster:/path, for example prod:/data/in');
  }
  if (path.includes('\0')) throw new SpecError(`"${cluster}:…" holds a NUL character, which no path may`);
  return { cluster, path };
}

/** The two ends of a job, as the job spells them. */
export interface Locations {
  readonly from: string;
  /** Paths in the source cluster; may hold globs. */
  readonly patterns: readonly string[];
  readonly to: string;
  readonly target: string;
}

/** @throws SpecError */
export function locationsOf(spec: JobSpec): Locations {
  const sources = spec.source.map(parseLocation);
  const { cluster: to, path: target } = parseLocation(spec.destination);
  const from = sources[0]?.cluster ?? to;
  const other = sources.find(({ cluster }) => cluster !== from);
  if (other) {
    throw new SpecError(`the sources lie in two clusters, ${from} and ${other.cluster}`, 'copy them in two jobs');
  }
  return { from, patterns: sources.map(({ path }) => path), to, target };
}
