import { bytesText } from '../shared/bytes.ts';
import { printable } from '../shared/errors.ts';
import type { Summary } from '../shared/job/verification.ts';
import { type Finding, toldOf } from '../shared/verify/finding.ts';
import { wrapped } from './doctor-table.ts';
import { exitCodes } from './exit-codes.ts';

/** Findings that a person is shown. */
export const SHOWN = 20;

/** The exit code of a verification that came to its end. */
export const verifyCodes = {
  equal: exitCodes.success,
  different: exitCodes.someFailed,
  unknown: exitCodes.stopped,
} as const satisfies Record<Summary['outcome'], number>;

const WIDTH = 80;
const NAME_COLUMNS = 12;

/** A finding as a person reads it, in 80 columns. Only a path that is longer goes beyond: cut, it could not be copied from there. */
function findingText(finding: Finding): string {
  const path = printable(finding.type === 'extra' ? finding.destination : finding.source);
  const isDirectory = 'kind' in finding && finding.kind === 'directory';
  const head = `${finding.type.padEnd(NAME_COLUMNS)}${path}${isDirectory ? '/' : ''}`;
  const told = printable(toldOf(finding));
  if (told === '') return `${head}\n`;
  const whole = `${head}  (${told})`;
  return whole.length <= WIDTH ? `${whole}\n` : `${head}\n${indented(told)}`;
}

/** Findings in the order of their paths. @param more  how many there are besides; said with `where` they are told */
export function findingsText(findings: readonly Finding[], more: number, where: string): string {
  const sorted = findings.toSorted((a, b) => (a.source < b.source ? -1 : 1)).map(findingText);
  const rest = more > 0 ? [`… and ${more} more: ${where}\n`] : [];
  return [...sorted, ...rest].join('');
}

/** @param seconds  that it took */
export function summaryText(summary: Summary, seconds: number): string {
  const { equal, missing, extra, different, attributes, open, unknown, leftOut, proved, level } = summary;
  const total = Object.values(different).reduce((sum, number) => sum + number, 0);
  const rows: [string, string][] = [
    ['equal', [entriesText(equal), provedText(proved)].filter(Boolean).join('; ')],
    ['missing', entriesText(missing)],
    ['extra', entriesText(extra)],
    ['different', total > 0 ? `${total}: ${listed(different)}` : ''],
    ['attributes', listed(attributes)],
    ['open', open > 0 ? `${open} open for writing` : ''],
    ['unknown', unknown > 0 ? `${unknown} could not be told` : ''],
    ['left out', listed(leftOut)],
  ];
  const verdict = {
    equal: `The trees are equal, as far as --level ${level} tells`,
    different: 'The trees differ',
    unknown: 'It could not tell of everything whether the trees are equal',
  }[summary.outcome];
  const lines = rows.filter(([, text]) => text !== '').map(([name, text]) => row(name, text));
  const notes = summary.untold.map((note) => wrapped(`Not told: ${note}.`, WIDTH).join('\n') + '\n');
  return [...lines, `${verdict} (${seconds.toFixed(1)} s).\n`, ...notes].join('');
}

function row(name: string, text: string): string {
  const [first = '', ...rest] = wrapped(text, WIDTH - NAME_COLUMNS);
  return [`${name.padEnd(NAME_COLUMNS)}${first}`, ...rest.map((line) => `${' '.repeat(NAME_COLUMNS)}${line}`), ''].join(
    '\n',
  );
}

function indented(text: string): string {
  return wrapped(text, WIDTH - NAME_COLUMNS)
    .map((line) => `${' '.repeat(NAME_COLUMNS)}${line}\n`)
    .join('');
}

function entriesText({ files, directories, bytes }: Summary['equal']): string {
  if (files + directories === 0) return '';
  const [some, more] = [files === 1 ? 'file' : 'files', directories === 1 ? 'directory' : 'directories'];
  return `${files} ${some} of ${bytesText(bytes)}, ${directories} ${more}`;
}

function provedText({ length, checksum, 'read-back': read }: Summary['proved']): string {
  const by = [
    length ? `${length} by length` : '',
    checksum ? `${checksum} by stored checksum` : '',
    read ? `${read} by reading` : '',
  ].filter(Boolean);
  return by.length > 0 ? `content ${by.join(', ')}` : '';
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${number} ${name}`)
    .join(', ');
}
