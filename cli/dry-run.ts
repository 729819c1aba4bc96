import pLimit from 'p-limit';
import type { Root } from '../shared/job/root.ts';
import { NamesOnDisk } from '../shared/machine/name-set.ts';
import { bytesText } from '../shared/bytes.ts';
import { printable } from '../shared/errors.ts';
import type { Endpoints } from '../shared/endpoints/endpoints.ts';
import { requireFewDeletes } from '../shared/finish/delete-brake.ts';
import { tellExtras } from './dry-extras.ts';
import { exitCodes } from './exit-codes.ts';
import { lookAt, type Told } from './look.ts';
import { printEvent } from './output.ts';
import { chunkCount } from '../shared/job/chunk.ts';
import { type Batch, destinationPathOf, type FileUnit, isSplit, sourcePathOf } from '../shared/job/unit.ts';
import type { JobOptions, JobSpec } from '../shared/job/spec.ts';
import { isLong, obstacleToParts } from '../shared/copy/long-files.ts';
import type { Storage } from '../shared/storage/storage.ts';
import type { PathList } from '../shared/plan/path-list.ts';
import { plan } from '../shared/plan/plan.ts';

const COMPARISONS_AT_ONCE = 10;

/** Where the units come from that a dry run tells of. */
export interface UnitsToTell {
  /** Emits them, in place of a plan. */
  readonly batches?: (emit: (batch: Batch) => Promise<void>) => Promise<void>;
  /** Of `filesFrom`, for a plan. */
  readonly list?: PathList | undefined;
}

/**
 * Tells what a copy would do to each file, and changes nothing. Files are compared as the copy would compare them.
 * @returns the exit code
 * @throws RefusedError when more would be deleted than the job may
 */
export async function dryRun(
  spec: JobSpec,
  roots: readonly Root[],
  { source, destination }: Endpoints,
  json: boolean,
  signal: AbortSignal,
  { batches, list }: UnitsToTell = {},
): Promise<number> {
  const limit = pLimit(COMPARISONS_AT_ONCE);
  const totals = new Map<string, { files: number; bytes: number }>();
  const look = (unit: FileUnit) => lookAt(unit, { options: spec.options, roots, source, destination }, signal);
  const tell = (unit: FileUnit, { action, reason: told }: Told) => {
    const total = totals.get(action) ?? { files: 0, bytes: 0 };
    totals.set(action, { files: total.files + 1, bytes: total.bytes + unit.lengthBytes });
    const [sourcePath, destinationPath] = [sourcePathOf(roots, unit), destinationPathOf(roots, unit)];
    const isCompared = action === 'skip' && unit.attributes && unit.stands;
    const cut = cutOf(unit, action, spec.options, destination, destinationPath);
    const notes = [told, isCompared ? 'attributes to compare' : '', cut];
    const reason = notes.filter((note) => note !== '').join(', ');
    if (json)
      printEvent('plan', {
        action,
        source: sourcePath,
        destination: destinationPath,
        bytes: unit.lengthBytes,
        reason,
      });
    else
      process.stdout.write(
        `${action.padEnd(9)} ${printable(sourcePath)} -> ${printable(destinationPath)}${reason ? `  (${reason})` : ''}\n`,
      );
  };
  const emit = async (batch: Batch) => {
    // Chunks are told of with their file.
    const files = batch.units.filter((unit) => unit.kind === 'file');
    const settled = await Promise.all(files.map((unit) => limit(() => look(unit))));
    for (const [index, told] of settled.entries()) {
      const unit = files[index];
      if (unit) tell(unit, told);
    }
  };
  using names = new NamesOnDisk();
  const filtered = new Map<string, number>();
  const planned = await (batches
    ? batches(emit)
    : plan({
        source,
        destination,
        roots,
        options: spec.options,
        signal,
        emit,
        names,
        list,
        makeDirectories: false,
        onTypeChange: spec.options.delete ? () => 'replaced' : undefined,
        onSettled: (unit, { reason }) => tell(unit, { action: 'skip', reason }),
        onLeftOut: (path, why) => {
          filtered.set(why, (filtered.get(why) ?? 0) + 1);
          if (json) printEvent('filtered', { source: path, by: why });
          else process.stdout.write(`${'filtered'.padEnd(9)} ${printable(path)}  (${why})\n`);
        },
      }));
  signal.throwIfAborted();
  const extras = await tellExtras(spec, roots, { source, destination }, json, signal);
  if (extras && spec.options.delete && extras.files + extras.directories > 0)
    totals.set('delete', { files: extras.files, bytes: extras.bytes });
  if (json) {
    if (planned && Object.keys(planned.notSplit).length > 0) printEvent('notSplit', planned.notSplit);
    if (filtered.size > 0) printEvent('filteredOut', Object.fromEntries(filtered));
    printEvent('total', Object.fromEntries(totals));
  } else {
    const parts = [...totals].map(([action, { files, bytes }]) => `${action} ${files} files, ${bytesText(bytes)}`);
    for (const [why, files] of Object.entries(planned?.notSplit ?? {})) {
      process.stdout.write(`${'not split'.padEnd(9)} ${files} files that are long enough  (${why})\n`);
    }
    const left = [...filtered].map(([why, number]) => `${number} by ${why}`);
    if (left.length > 0) process.stdout.write(`Filtered out: ${left.join('; ')}\n`);
    process.stdout.write(`Would: ${parts.join('; ') || 'do nothing: there are no files'}\n`);
  }
  if (totals.has('fail')) return exitCodes.someFailed;
  if (extras && spec.options.delete) requireFewDeletes(spec.options, extras);
  return exitCodes.success;
}

/** In how many chunks a file would be copied, or in parts, and why a long one in neither. */
function cutOf(unit: FileUnit, action: string, options: JobOptions, destination: Storage, path: string): string {
  if (action !== 'copy' && action !== 'overwrite') return '';
  if (isSplit(unit)) return `in ${chunkCount(unit)} chunks of ${bytesText(unit.split.chunkBytes)}`;
  if (!isLong(unit, options, false)) return '';
  const obstacle = obstacleToParts(unit, options, destination, path);
  if (obstacle === undefined) return `in parts of about ${bytesText(options.chunkSize)}`;
  return `from its beginning when it is cut off: ${obstacle}`;
}

/** Tells of names that a pattern left out because they begin with a dot. */
export function tellHidden(paths: readonly string[], json: boolean): void {
  for (const path of paths) {
    const reason = 'it begins with a dot: only a pattern that does so too takes it';
    if (json) printEvent('hidden', { source: path, reason });
    else process.stdout.write(`${'hidden'.padEnd(9)} ${printable(path)}  (${reason})\n`);
  }
}
