// The results for a person: 100 columns on a terminal, Markdown in a file.
import { type Aim, aimsOf, told } from './aims.ts';
import { describe, describeListing, totalBytes } from './cases.ts';
import { atOnce } from './contestants.ts';
import { type CaseResult, type ListingResult, of, ratioOf, type Results, type Row, rowNamed } from './results.ts';

interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

const MIB = 1024 * 1024;

const figure = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));

const GB = 1e9;

/** Small files cost by their number, big ones by their bytes. */
const caseTable = ({ case: each, rows }: CaseResult): Table => {
  const isSmall = each.fileBytes < MIB;
  const done = isSmall ? each.files : totalBytes(each) / MIB;
  const reference = rowNamed(rows, 'fanout');
  const ratio = (over: Row, under: Row | undefined): string => {
    const found = ratioOf(over, under, 'wallSeconds');
    return found ? told(found) : '';
  };
  const line = (row: Row): string[] => {
    if (row.error !== undefined) return [row.title, 'failed', ...Array.from({ length: 6 }, () => '–')];
    const [wall, cpu] = [of(row, 'wallSeconds'), of(row, 'cpuSeconds')];
    return [
      row.title,
      figure(wall, 2),
      figure(done / wall, 0),
      row.floor === undefined ? '' : ratio(row, rowNamed(rows, row.floor)),
      ratio(row, reference),
      figure((1000 * cpu) / each.files, 2),
      figure((GB * cpu) / totalBytes(each), 2),
      figure(of(row, 'peakMiB'), 0),
    ];
  };
  return {
    title: `${each.name}: ${describe(each)}`,
    head: ['', 'wall s', isSmall ? 'files/s' : 'MiB/s', '×floor', '×fanout', 'CPU s/1,000', 'CPU s/GB', 'MiB'],
    lines: rows.map(line),
  };
};

const listingTable = ({ case: each, rows }: ListingResult): Table => ({
  title: `${each.name}: listing ${describeListing(each)}`,
  head: ['', 'list s', 'files/s', '×fanout', 'process s', 'CPU s', 'MiB'],
  lines: rows.map((row) => {
    if (row.error !== undefined) return [row.title, 'failed', ...Array.from({ length: 5 }, () => '–')];
    const seconds = of(row, 'listingSeconds');
    const reference = rowNamed(rows, 'plan') ?? rowNamed(rows, 'unchanged') ?? rowNamed(rows, 'snapshot');
    return [
      row.title,
      figure(seconds, 2),
      figure((each.directories * each.filesEach) / seconds, 0),
      reference ? figure(seconds / of(reference, 'listingSeconds'), 2) : '–',
      figure(of(row, 'wallSeconds'), 2),
      figure(of(row, 'cpuSeconds'), 2),
      figure(of(row, 'peakMiB'), 0),
    ];
  }),
});

/** Who is busy while a case runs, in cores of the machine: tells what bounds it. */
const busyTable = ({ case: each, rows }: CaseResult): Table => ({
  title: `${each.name}: cores kept busy by`,
  head: ['', 'client', 'servers', 'others'],
  lines: rows
    .filter(({ error }) => error === undefined)
    .map((row) => {
      const wall = of(row, 'wallSeconds');
      const cores = (field: 'cpuSeconds' | 'serverCpuSeconds' | 'otherCpuSeconds') => figure(of(row, field) / wall, 2);
      return [row.title, cores('cpuSeconds'), cores('serverCpuSeconds'), cores('otherCpuSeconds')];
    }),
});

const aimsTable = (aims: readonly Aim[]): Table => ({
  title: 'aims',
  head: ['', 'measured', 'holds'],
  lines: aims.map(({ aim, measured, holds }) => [aim, measured, holds === undefined ? '–' : holds ? 'yes' : 'NO']),
});

const plain = ({ title, head, lines }: Table): string => {
  const widths = head.map((text, column) => Math.max(text.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    cells
      .map((text, i) => (i === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [title, row(head), ...lines.map(row), ''].join('\n');
};

const markdown = ({ title, head, lines }: Table): string => {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = row(head.map((_, i) => (i === 0 ? '---' : '---:')));
  return [`## ${title}`, '', row(head), rule, ...lines.map(row), ''].join('\n');
};

const errorsOf = ({ cases, listings }: Results): string[] =>
  [...cases, ...listings].flatMap(({ case: { name }, rows }) =>
    rows.flatMap(({ title, error }) => (error === undefined ? [] : [`${name}: ${title}: ${error}`])),
  );

const tablesOf = (results: Results): Table[] => [
  ...results.cases.map(caseTable),
  ...results.listings.map(listingTable),
  ...results.cases.map(busyTable),
];

/** Cores kept busy by others from which on times are not to be trusted. */
const quietBelow = 0.1;

const warningsOf = ({ cases }: Results): string[] => {
  const others = cases.flatMap(({ rows }) => rows.map((row) => of(row, 'otherCpuSeconds') / of(row, 'wallSeconds')));
  const most = Math.max(0, ...others.filter((cores) => !Number.isNaN(cores)));
  return most < quietBelow ? [] : [`the machine was not quiet: others kept up to ${most.toFixed(2)} cores busy`];
};

const distancesOf = ({ cases }: Results): string[] =>
  cases.flatMap(({ case: { name }, distance }) => {
    if (!distance) return [];
    const { keptMs, newMs } = distance;
    const more = `${keptMs.toFixed(1)} ms more, on a new connection ${newMs.toFixed(1)} ms`;
    return [`${name}: a request through the proxy was measured to take ${more}`];
  });

/** Without the aims where too little was measured for them. */
export const plainReport = (results: Results, aims: boolean): string => {
  const tables = aims ? [...tablesOf(results), aimsTable(aimsOf(results))] : tablesOf(results);
  const errors = errorsOf(results).map((line) => `failed: ${line}`);
  return [...tables.map(plain), ...distancesOf(results), ...warningsOf(results), ...errors].join('\n');
};

const legend = `Medians over the rounds, which follow one that is not counted. Wall time, CPU seconds and memory are those of the
client: its whole process tree. ×floor: wall time over that of the smallest client that makes only the requests which this
level of verification needs. ×fanout: wall time over hdfs-fanout's own, verified. Both are ratios of the same round: their
median, and from the least to the most. ${atOnce} files at a time unless named otherwise. bench/README.md tells how it is measured.`;

export const markdownReport = (results: Results): string => {
  const { startedAt, machine, rounds } = results;
  const facts = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
  const tables = [aimsTable(aimsOf(results)), ...tablesOf(results)].map(markdown);
  const errors = errorsOf(results).map((line) => `- failed: ${line.replaceAll('\n', ' ')}`);
  const notes = [...distancesOf(results), ...warningsOf(results)].map((line) => `- ${line}`);
  const head = [`# ${startedAt.slice(0, 10)}, ${rounds} rounds`, '', legend, '', ...facts, ...notes, ...errors, ''];
  return [...head, ...tables].join('\n');
};
