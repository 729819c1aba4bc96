import { SpecError } from '../errors.ts';
import type { JobSpec } from '../job/spec.ts';

/** `cluster:/path` taken apart. */
export interface Location {
  /** Of a cluster in the configuration, or `local`. */
  readonly alias: string;
  /** As written: may be relative, may hold globs. */
  readonly path: string;
}

/** @throws SpecError */
export function parseLocation(text: string): Location {
  const [, alias, path] = /^([A-Za-z0-9][\w.-]*):([^]*)$/.exec(text) ?? [];
  if (!alias || !path) {
    const missing = alias ? 'path' : 'cluster';
    throw new SpecError(`"${text}" names no ${missing}`, 'write cluster:/path, for example prod:/data/in');
  }
  if (path.includes('\0')) throw new SpecError(`"${alias}:…" holds a NUL character, which no path may`);
  return { alias, path };
}

/** Where a job copies from and to, as the job spells it. */
export interface Locations {
  readonly sourceAlias: string;
  /** Paths in the source; may hold globs. */
  readonly patterns: readonly string[];
  readonly destinationAlias: string;
  readonly destinationPath: string;
}

/** @throws SpecError */
export function locationsOf(spec: JobSpec): Locations {
  const sources = spec.source.map(parseLocation);
  const { alias: destinationAlias, path: destinationPath } = parseLocation(spec.destination);
  const sourceAlias = sources[0]?.alias ?? destinationAlias;
  const other = sources.find(({ alias }) => alias !== sourceAlias);
  if (other) {
    throw new SpecError(`the sources lie in two clusters, ${sourceAlias} and ${other.alias}`, 'copy them in two jobs');
  }
  return { sourceAlias, patterns: sources.map(({ path }) => path), destinationAlias, destinationPath };
}
