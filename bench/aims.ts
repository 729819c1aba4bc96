// What the project aims at, held against what was measured.
import { copiersOf } from './contestants.ts';
import { type CaseResult, type ListingResult, of, type Ratio, ratioOf, type Results, rowNamed } from './results.ts';

export interface Aim {
  readonly aim: string;
  readonly measured: string;
  /** Undefined where a contestant is missing. */
  readonly holds: boolean | undefined;
}

/** How far above its floor a copy may be. */
const aboveFloor = 1.1;
/** Two equally fast contestants differ by chance: "no slower" allows this much. */
const noise = 1.03;
const memoryMiB = 160;
/** How much longer a job may take that finds nothing to do than to list both trees. */
const aboveListing = 1.2;
/** How long a mirror may take of the difference of two snapshots, of a walk of both trees. */
const ofWhole = 0.1;

/** How much faster than whom hdfs-fanout is to be, and how much of whose CPU it may use. */
interface CaseAims {
  readonly faster?: Readonly<Record<string, number>>;
  readonly cpu?: Readonly<Record<string, number>>;
}

const caseAims: Readonly<Record<string, CaseAims>> = {
  small: { faster: { pydistcp: 2, 'distcp-rpc': 2.5, distcp: 2.5 }, cpu: { pydistcp: 0.3 } },
  middle: { faster: { pydistcp: 1.1 }, cpu: { pydistcp: 0.8 } },
  big: { faster: { pydistcp: 1.25, 'distcp-rpc': 1 / noise }, cpu: { pydistcp: 0.5 } },
  'big-digest': { faster: { pydistcp: 1.1 }, cpu: { pydistcp: 1 } },
  'small-tls': { faster: { pydistcp: 1.5 } },
  'middle-tls': { faster: { pydistcp: 1.15 } },
  'big-tls': { faster: { pydistcp: 1.3 }, cpu: { pydistcp: 0.6 } },
};

/** With as many transfers at once. */
const afar: Readonly<Record<string, string>> = { fanout: 'pydistcp', 'fanout-100': 'pydistcp-100' };
const fasterAfar = 1.3;
/** How much longer a copy may take that finds the number of transfers itself. */
const aboveBest = 1.15;

export const told = ({ middle, least, most }: Ratio): string =>
  least === most ? middle.toFixed(2) : `${middle.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;

const bound = (aim: string, ratio: Ratio | undefined, holds: (value: number) => boolean): Aim =>
  ratio
    ? { aim, measured: `${told(ratio)} ×`, holds: holds(ratio.middle) }
    : { aim, measured: 'not measured', holds: undefined };

const floorAims = ({ case: { name }, rows }: CaseResult): Aim[] =>
  rows.flatMap((row) => {
    const under = row.floor === undefined ? undefined : rowNamed(rows, row.floor);
    if (!under) return [];
    const ratio = ratioOf(row, under, 'wallSeconds');
    return [bound(`${name}: ${row.title} ≤ ${aboveFloor} × its floor`, ratio, (x) => x <= aboveFloor)];
  });

const peerAims = ({ case: { name, roundTripMs }, rows }: CaseResult): Aim[] => {
  const titleOf = (peer: string): string => rowNamed(rows, peer)?.title ?? peer;
  const faster = (own: string, peer: string, least: number): Aim => {
    const ratio = ratioOf(rowNamed(rows, peer), rowNamed(rows, own), 'wallSeconds');
    const aim = least < 1 ? 'no slower than' : `≥ ${least} × as fast as`;
    return bound(`${name}: ${titleOf(own)} ${aim} ${titleOf(peer)}`, ratio, (x) => x >= least);
  };
  if (roundTripMs !== undefined) {
    return [...Object.entries(afar).map(([own, peer]) => faster(own, peer, fasterAfar)), autoAim(name, rows)];
  }
  const { faster: speeds = {}, cpu = {} } = caseAims[name] ?? {};
  return [
    ...(rowNamed(rows, 'fanout-chunks') ? [faster('fanout-chunks', 'fanout', 1 / noise)] : []),
    ...Object.entries(speeds).map(([peer, least]) => faster('fanout', peer, least)),
    ...Object.entries(cpu).map(([peer, most]) => {
      const ratio = ratioOf(rowNamed(rows, 'fanout'), rowNamed(rows, peer), 'cpuSeconds');
      return bound(`${name}: client CPU ≤ ${most} × that of ${titleOf(peer)}`, ratio, (x) => x <= most);
    }),
  ];
};

/** Beside the number that was the better one over all rounds. */
const autoAim = (name: string, rows: CaseResult['rows']): Aim => {
  const fixed = Object.keys(afar).flatMap((own) => rowNamed(rows, own) ?? []);
  const [best] = fixed.toSorted((a, b) => of(a, 'wallSeconds') - of(b, 'wallSeconds'));
  const ratio = ratioOf(rowNamed(rows, 'fanout-auto'), best, 'wallSeconds');
  return bound(`${name}: --threads auto ≤ ${aboveBest} × the better of 10 and 100`, ratio, (x) => x <= aboveBest);
};

/** From the start of the process to its end, both. */
const snapshotAim = ({ case: { name }, rows }: ListingResult): Aim[] => {
  if (name !== 'snapshot') return [];
  const ratio = ratioOf(rowNamed(rows, 'snapshot'), rowNamed(rows, 'whole'), 'wallSeconds');
  return [bound(`${name}: --snapshot < ${ofWhole} × a walk of both trees`, ratio, (x) => x < ofWhole)];
};

/** From the start of the process to its end, both. */
const unchangedAim = ({ case: { name }, rows }: ListingResult): Aim[] => {
  if (name !== 'unchanged') return [];
  const ratio = ratioOf(rowNamed(rows, 'unchanged'), rowNamed(rows, 'walk'), 'wallSeconds');
  return [bound(`${name}: --compare time ≤ ${aboveListing} × listing both trees`, ratio, (x) => x <= aboveListing)];
};

const memoryAim = ({ cases, listings }: Results): Aim => {
  const own = cases.flatMap(({ rows }) => rows.filter(({ name }) => name.startsWith('fanout')));
  const plans = listings.flatMap(({ rows }) => rows.filter(({ name }) => name === 'plan'));
  const peaks = [...own, ...plans]
    .map((row) => of(row, 'peakMiB') / copiersOf(row.name))
    .filter((peak) => !Number.isNaN(peak));
  const aim = `client memory ≤ ${memoryMiB} MiB a copier in every case`;
  if (peaks.length === 0) return { aim, measured: 'not measured', holds: undefined };
  const most = Math.max(...peaks);
  return { aim, measured: `${most.toFixed(0)} MiB`, holds: most <= memoryMiB };
};

export const aimsOf = (results: Results): Aim[] => [
  ...results.cases.flatMap(floorAims),
  ...results.cases.flatMap(peerAims),
  ...results.listings.flatMap(unchangedAim),
  ...results.listings.flatMap(snapshotAim),
  memoryAim(results),
];
