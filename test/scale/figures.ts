import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The figures of the last run of each test, committed, so that a change shows in a diff. */
const file = new URL('latest.md', import.meta.url);
const HEAD = `# Full sizes

Written by \`npm run test:scale\`, one row for each test; a run of one test replaces its row alone.

| what | figures |
| --- | --- |
`;

/** Replaces the row of `what`. Tests of this folder run one after the other. */
export function keepFigures(what: string, figures: string): void {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const rows = new Map<string, string>();
  for (const line of kept) {
    const [, name, value] = /^\| (.+?) +\| (.+?) +\|$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && name !== 'what' && !name.startsWith('-')) rows.set(name, value);
  }
  rows.set(what, figures);
  const table = [...rows].sort().map(([name, value]) => `| ${name} | ${value} |\n`);
  writeFileSync(file, HEAD + table.join(''));
}
