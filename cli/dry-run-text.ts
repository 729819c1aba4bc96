import { bytesText } from '../shared/bytes.ts';
import type { Told, Totals } from '../shared/dry-run/told.ts';
import { printable } from '../shared/errors.ts';
import { printEvent } from './output.ts';

/** A line of a dry run, for a person or as JSON. */
export function printTold(told: Told, json: boolean): void {
  if (json) {
    const { type, ...event } = told;
    printEvent(type, event);
  } else process.stdout.write(lineOf(told));
}

function lineOf(told: Told): string {
  switch (told.type) {
    case 'plan': {
      const { action, source, destination, reason } = told;
      const what = source === undefined ? printable(destination) : `${printable(source)} -> ${printable(destination)}`;
      return `${action.padEnd(9)} ${what}${reason ? `  (${reason})` : ''}\n`;
    }
    case 'filtered':
      return `${'filtered'.padEnd(9)} ${printable(told.source)}  (${told.by})\n`;
    case 'hidden':
      return `${'hidden'.padEnd(9)} ${printable(told.source)}  (${told.reason})\n`;
  }
}

/** What it comes to. */
export function printTotals({ would, notSplit, filtered }: Totals, json: boolean): void {
  if (json) {
    if (Object.keys(notSplit).length > 0) printEvent('notSplit', notSplit);
    if (Object.keys(filtered).length > 0) printEvent('filteredOut', filtered);
    printEvent('total', would);
    return;
  }
  const parts = Object.entries(would).map(
    ([action, { files, bytes }]) => `${action} ${files} files, ${bytesText(bytes)}`,
  );
  for (const [why, files] of Object.entries(notSplit))
    process.stdout.write(`${'not split'.padEnd(9)} ${files} files that are long enough  (${why})\n`);
  const left = Object.entries(filtered).map(([why, number]) => `${number} by ${why}`);
  if (left.length > 0) process.stdout.write(`Filtered out: ${left.join('; ')}\n`);
  process.stdout.write(`Would: ${parts.join('; ') || 'do nothing: there are no files'}\n`);
}
