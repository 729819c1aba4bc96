import { SpecError } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { parseLocation } from '../../shared/endpoints/location.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { allBytes } from '../../shared/storage/storage.ts';
import { endpointsOf } from '../clusters.ts';
import { linesOf } from '../flag-values.ts';

/** As many as a pattern may match: all of them are kept with the job. */
const MOST_LINES = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The URIs that a file names, one a line: DistCp's `-f`.
 * @param location  of the file: `cluster:/path`, or `local:/path`
 * @throws SpecError where it cannot be read, or names nothing, or too much
 */
export async function linesOfList(location: string, conf: string | undefined, signal: AbortSignal): Promise<string[]> {
  const { alias, path } = parseLocation(location);
  const all = alias === 'local' ? linesOf('-f', path) : (await textOf(location, conf, signal)).split(/\r?\n/);
  const lines = all.map((line) => line.trim()).filter((line) => line !== '');
  if (lines.length === 0) throw new SpecError(`-f: ${location} names nothing`);
  if (lines.length > MOST_LINES) {
    throw new SpecError(
      `-f: ${location} names ${lines.length} sources, and a job takes ${MOST_LINES}`,
      'name directories, or list paths below one directory with hdfs-fanout copy --files-from',
    );
  }
  return lines;
}

async function textOf(location: string, conf: string | undefined, signal: AbortSignal): Promise<string> {
  const spec = parseJobSpec({ source: location, destination: location });
  await using endpoints = await endpointsOf(spec, conf, silentLog);
  const { source, patterns } = endpoints;
  const path = source.resolve(patterns[0] ?? '/');
  const status = await source.stat(path, signal);
  if (status?.kind !== 'file') throw new SpecError(`-f: ${location} is no file`, 'name a file of URIs, one a line');
  if (status.lengthBytes > MOST_BYTES) throw new SpecError(`-f: ${location} is longer than 64 MiB`, 'cut it up');
  const pieces: Buffer[] = [];
  const { body } = await source.read(path, allBytes(status.lengthBytes), signal);
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString('utf8');
}
