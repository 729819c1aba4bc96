import { styleText } from 'node:util';
import { printable } from '../shared/errors.ts';
import { checkNames, type Row, type RowState, rowStates } from '../shared/doctor/row.ts';

const WIDTH = 80;
const STATE_COLUMNS = Math.max(...rowStates.map(({ length }) => length)) + 1;
const NAME_COLUMNS = Math.max(...checkNames.map(({ length }) => length)) + 1;
/** Findings begin in this column where the host is short. */
const HEAD_COLUMNS = NAME_COLUMNS + 20;
const INDENT = ' '.repeat(STATE_COLUMNS + 2);

const colours = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'gray' } as const satisfies Record<
  RowState,
  Parameters<typeof styleText>[0]
>;

/** A row as a person reads it: 80 columns, coloured on a terminal. What does not fit goes below. */
export function rowText({ name, target, state, found, remedy }: Row): string {
  const head = `${name.padEnd(NAME_COLUMNS)}${target}`;
  const whole = `${head.padEnd(HEAD_COLUMNS)}  ${printable(found)}`;
  const below = (text: string) => wrapped(text, WIDTH - INDENT.length).map((line) => `${INDENT}${line}`);
  const lines = STATE_COLUMNS + whole.length <= WIDTH ? [whole] : [head, ...below(printable(found))];
  if (remedy !== undefined) lines.push(...below(`→ ${remedy}`));
  return `${styleText(colours[state], state.padEnd(STATE_COLUMNS))}${lines.join('\n')}\n`;
}

/** Breaks a text at spaces into lines; a word that is wider than a line is cut. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
