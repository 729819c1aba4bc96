import pLimit from 'p-limit';
import type { Batch, Unit } from '../shared/copy/batch.ts';
import { sameContent } from '../shared/copy/content.ts';
import type { Root } from '../shared/copy/mapping.ts';
import { plan } from '../shared/copy/plan.ts';
import type { JobSpec } from '../shared/copy/spec.ts';
import { join } from '../shared/hdfs/path.ts';
import { printable } from '../shared/errors.ts';
import type { Ends } from './clusters.ts';
import { exitCodes } from './exit-codes.ts';
import { printEvent } from './output.ts';
import { human } from './progress-display.ts';

const COMPARISONS_AT_ONCE = 10;

/** Tells what a copy would do to each file, and changes nothing. Comparisons are really made. @returns the exit code */
export async function dryRun(
  spec: JobSpec,
  roots: readonly Root[],
  { source, destination }: Ends,
  json: boolean,
  signal: AbortSignal,
): Promise<number> {
  const limit = pLimit(COMPARISONS_AT_ONCE);
  const totals = new Map<string, { files: number; bytes: number }>();
  const settle = async (unit: Unit): Promise<{ action: string; reason: string }> => {
    const { decision, reason = '', lengthBytes } = unit;
    if (decision !== 'compare') return { action: decision, reason };
    const { from, to } = pathsOf(unit, roots);
    const a = { fs: source, path: from, lengthBytes };
    const b = { fs: destination, path: to, lengthBytes };
    if (await sameContent(a, b, signal)) return { action: 'skip', reason: 'identical content' };
    if (spec.options.force) return { action: 'overwrite', reason: 'content differs' };
    return { action: 'fail', reason: 'exists and differs' };
  };
  const emit = async (batch: Batch) => {
    const settled = await Promise.all(batch.units.map((unit) => limit(() => settle(unit))));
    for (const [index, { action, reason: told }] of settled.entries()) {
      const unit = batch.units[index];
      if (!unit) continue;
      const total = totals.get(action) ?? { files: 0, bytes: 0 };
      totals.set(action, { files: total.files + 1, bytes: total.bytes + unit.lengthBytes });
      const { from, to } = pathsOf(unit, roots);
      const reason = action === 'skip' && unit.attributes && unit.stands ? `${told}, attributes to compare` : told;
      if (json) printEvent('plan', { action, source: from, destination: to, bytes: unit.lengthBytes, reason });
      else
        process.stdout.write(
          `${action.padEnd(9)} ${printable(from)} -> ${printable(to)}${reason ? `  (${reason})` : ''}\n`,
        );
    }
  };
  await plan({ source, destination, roots, options: spec.options, signal, emit, makeDirectories: false });
  if (json) printEvent('total', Object.fromEntries(totals));
  else {
    const parts = [...totals].map(([action, { files, bytes }]) => `${action} ${files} files, ${human(bytes)}`);
    process.stdout.write(`Would: ${parts.join('; ') || 'do nothing: there are no files'}\n`);
  }
  return totals.has('fail') ? exitCodes.someFailed : exitCodes.success;
}

function pathsOf(unit: Unit, roots: readonly Root[]): { from: string; to: string } {
  const root = roots[unit.root];
  return { from: join(root?.source ?? '/', unit.path), to: join(root?.destination ?? '/', unit.to ?? unit.path) };
}
