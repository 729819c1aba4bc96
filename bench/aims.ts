// What the project aims at, held against what was measured.
import type { CaseResult, ListingResult, Results, Row } from './results.ts';
import { of, rowNamed } from './results.ts';

export interface Aim {
  readonly aim: string;
  readonly measured: string;
  /** Undefined where a contestant is missing. */
  readonly holds: boolean | undefined;
}

type CaseName = CaseResult['case']['name'];

/** How far above its floor a copy may be. */
const aboveFloor = 1.15;
/** Two equally fast contestants differ by chance: "no slower" allows this much. */
const noise = 1.03;
const memoryMiB = 256;
/** Memory that does not follow the size or the number of files still varies with the garbage collector's timing. */
const flat = 1.5;

const bound = (aim: string, value: number | undefined, holds: (value: number) => boolean, unit = '×'): Aim => {
  if (value === undefined || Number.isNaN(value)) return { aim, measured: 'not measured', holds: undefined };
  const text = unit === '×' ? value.toFixed(2) : value.toFixed(0);
  return { aim, measured: `${text} ${unit}`, holds: holds(value) };
};

export const aimsOf = ({ cases, listings }: Results): Aim[] => {
  const row = (name: CaseName, contestant: string): Row | undefined =>
    rowNamed(cases.find((result) => result.case.name === name)?.rows ?? [], contestant);
  const ratio = (name: CaseName, field: 'wallSeconds' | 'cpuSeconds', a: string, b: string): number | undefined => {
    const [over, under] = [row(name, a), row(name, b)];
    return over && under && of(over, field) / of(under, field);
  };
  const wall = (name: CaseName, a: string, b: string) => ratio(name, 'wallSeconds', a, b);
  const cpu = (name: CaseName, a: string, b: string) => ratio(name, 'cpuSeconds', a, b);
  const aims: Aim[] = [];
  for (const { case: each, rows } of cases) {
    for (const { name, title, floor } of rows) {
      if (floor === undefined || !rowNamed(rows, floor)) continue;
      const value = wall(each.name, name, floor);
      aims.push(bound(`${each.name}: ${title} ≤ ${aboveFloor} × its floor`, value, (x) => x <= aboveFloor));
    }
  }
  const peers = (aim: string, value: number | undefined, least: number) =>
    aims.push(bound(aim, value, (x) => x >= least));
  peers('small: pydistcp ≥ 1.3 × hdfs-fanout', wall('small', 'pydistcp', 'fanout'), 1.3);
  peers('small: DistCp ≥ 2.2 × hdfs-fanout', wall('small', 'distcp', 'fanout'), 2.2);
  peers('small: pydistcp ≥ 1.8 × hdfs-fanout --verify none', wall('small', 'pydistcp', 'fanout-none'), 1.8);
  peers('small-tls: pydistcp ≥ 1.3 × hdfs-fanout', wall('small-tls', 'pydistcp', 'fanout'), 1.3);
  aims.push(
    bound(
      `middle-tls: hdfs-fanout no slower than pydistcp (≤ ${noise} ×)`,
      wall('middle-tls', 'fanout', 'pydistcp'),
      (x) => x <= noise,
    ),
  );
  for (const name of ['middle', 'big'] as const) {
    for (const peer of ['pydistcp', 'curl']) {
      const value = wall(name, 'fanout', peer);
      aims.push(bound(`${name}: hdfs-fanout no slower than ${peer} (≤ ${noise} ×)`, value, (x) => x <= noise));
    }
  }
  aims.push(bound('small: client CPU ≤ 0.5 × pydistcp’s', cpu('small', 'fanout', 'pydistcp'), (x) => x <= 0.5));
  aims.push(bound('big: client CPU ≤ 1 × pydistcp’s', cpu('big', 'fanout', 'pydistcp'), (x) => x <= 1));
  return [...aims, ...memoryAims(cases, listings)];
};

const memoryAims = (cases: readonly CaseResult[], listings: readonly ListingResult[]): Aim[] => {
  const own = cases.flatMap(({ rows }) => rows.filter(({ floor }) => floor !== undefined));
  const peaks = own.map((row) => of(row, 'peakMiB')).filter((peak) => !Number.isNaN(peak));
  const plans = listings.flatMap(({ rows }) => rows.filter(({ name }) => name === 'plan'));
  const planned = plans.map((row) => of(row, 'peakMiB')).filter((peak) => !Number.isNaN(peak));
  const all = [...peaks, ...planned];
  const most = all.length > 0 ? Math.max(...all) : undefined;
  const spread = peaks.length > 1 ? Math.max(...peaks) / Math.min(...peaks) : undefined;
  return [
    bound(`client memory ≤ ${memoryMiB} MiB in every case`, most, (x) => x <= memoryMiB, 'MiB'),
    bound(`client memory flat over the cases (largest ≤ ${flat} × least)`, spread, (x) => x <= flat),
  ];
};
