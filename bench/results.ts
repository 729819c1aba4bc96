// What a run of the benchmark found.
import type { Case, ListingCase } from './cases.ts';
import type { Distance } from './distance.ts';
import type { Measured } from './measure.ts';
import { median } from './statistics.ts';

/** A contestant's counted runs of one case. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly floor?: string;
  readonly runs: readonly Measured[];
  /** Why there are no times: it ended with an error, or did not copy everything. */
  readonly error?: string;
}

export interface CaseResult {
  readonly case: Case;
  /** As measured, where the client was kept at one. */
  readonly distance?: Distance;
  readonly rows: readonly Row[];
}

/** What a listing run adds: its time without the start of the process. */
export interface ListingMeasured extends Measured {
  readonly listingSeconds: number;
}

export interface ListingResult {
  readonly case: ListingCase;
  readonly rows: readonly (Omit<Row, 'runs'> & { readonly runs: readonly ListingMeasured[] })[];
}

export interface Results {
  readonly startedAt: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly cases: readonly CaseResult[];
  readonly listings: readonly ListingResult[];
}

/** The median over the rounds; NaN without one. */
export const of = <T extends Measured>(row: { readonly runs: readonly T[] }, field: keyof T & string): number =>
  median(row.runs.map((run) => Number(run[field] ?? NaN)));

/** One contestant's figure over another's. */
export interface Ratio {
  /** The median of the rounds' ratios: both met the same machine in a round. */
  readonly middle: number;
  readonly least: number;
  readonly most: number;
}

/** @returns undefined where one of them has no figures */
export const ratioOf = (
  over: Pick<Row, 'runs'> | undefined,
  under: Pick<Row, 'runs'> | undefined,
  field: 'wallSeconds' | 'cpuSeconds',
): Ratio | undefined => {
  const ratios = over?.runs.map((run, round) => run[field] / (under?.runs[round]?.[field] ?? NaN)) ?? [];
  if (ratios.length === 0 || ratios.some(Number.isNaN)) return undefined;
  return { middle: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
};

export const rowNamed = <R extends { readonly name: string }>(rows: readonly R[], name: string): R | undefined =>
  rows.find((row) => row.name === name);
