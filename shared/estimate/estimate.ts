import type { Room } from '../storage/capabilities.ts';
import { type Copiers, costOf, forecast, type Forecast, type Task } from '../cost/forecast.ts';
import type { Prices } from '../cost/prices.ts';
import type { Bill } from '../cost/usage.ts';
import { assumed, assumedRates, type Rates, sizeClasses } from '../cost/work.ts';
import type { Expected } from '../plan/planning.ts';
import type { Collected } from './collector.ts';
import { type Needed, neededOf } from './needed.ts';

/** What was found out of a copy before it begins. */
export interface Findings {
  readonly collected: Collected;
  readonly expected: Expected;
  /** That the destination lacks. */
  readonly newDirectories: number;
  /** Entries that the user's choice leaves out, by the option that does. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What would be deleted, of a job that deletes, and why it would not. */
  readonly deletes?: { readonly files: number; readonly bytes: number; readonly refused?: string } | undefined;
  /** Undefined where the destination tells nothing. */
  readonly room: Room | undefined;
  /** How long looking at both trees took. */
  readonly planSeconds: number;
  /** Rates of one copier that were measured with so many transfers at once; undefined: they are assumed. */
  readonly measured?: Measurement | undefined;
}

interface Measurement {
  /** A class is missing that was not measured. `Infinity`, in JSON null: not what bounds it. */
  readonly rates: Partial<Rates>;
  readonly transfers: number;
  /** What was copied for it. */
  readonly files: number;
  readonly bytes: number;
}

/** Copiers somewhere, and what they are held to. */
export interface Place extends Pick<Task, 'bytesPerSecond' | 'opsPerSecond'> {
  readonly copiers: number;
  /** At once in each. */
  readonly transfers: number;
}

export interface PlaceEstimate extends Forecast {
  readonly copiers: number;
  readonly transfers: number;
}

/** What a copy would do, take and cost. */
export interface Estimate extends Omit<Findings, 'collected' | 'expected' | 'measured'> {
  readonly collected: Collected;
  readonly directories: number;
  readonly batches: number;
  readonly split: Expected['split'];
  readonly notSplit: Expected['notSplit'];
  readonly needed: Needed;
  /** What every time and price is computed with. */
  readonly rates: {
    readonly here: Rates;
    readonly aws: Rates;
    readonly isMeasured: boolean;
    readonly assumed: typeof assumed;
  };
  readonly here: PlaceEstimate;
  readonly aws: PlaceEstimate & { readonly dollars: Bill; readonly network: Network; readonly prices: Prices };
}

/** What the network costs, where bytes go through it: a leg each, US dollars. None of it is in the bill. */
interface Network {
  readonly transitGateway: number;
  readonly natGateway: number;
}

const GB = 1e9;

/** Puts together what was found out. Asks nothing of anybody. */
export function estimateOf(findings: Findings, here: Place, aws: Place, prices: Prices): Estimate {
  const { collected, expected, measured, ...told } = findings;
  const { batches, split, notSplit, planned } = expected;
  const { compared } = collected;
  const { small } = collected.work;
  // A comparison is some requests, as a small file's copy is.
  const work = { ...collected.work, small: { ...small, files: small.files + compared } };
  const task = ({ bytesPerSecond, opsPerSecond }: Place): Task => ({
    work,
    batches,
    longestBytes: collected.longestBytes,
    bytesPerSecond,
    opsPerSecond,
  });
  const rates = { here: ratesOf(here, measured), aws: ratesOf(aws, measured) };
  const copiersOf = ({ copiers }: Place, at: Rates): Copiers => ({ copiers, rates: at });
  const bytes = sizeClasses.reduce((sum, name) => sum + work[name].bytes, 0);
  const cost = costOf(task(aws), copiersOf(aws, rates.aws), prices);
  const { seconds, bound, copierSeconds, ...dollars } = cost;
  const numbers = ({ copiers, transfers }: Place) => ({ copiers, transfers });
  return {
    collected,
    ...told,
    directories: (planned['directories.equal'] ?? 0) + (planned['directories.due'] ?? 0),
    batches,
    split,
    notSplit,
    needed: neededOf(collected, findings.room, findings.newDirectories),
    rates: { ...rates, isMeasured: measured !== undefined, assumed },
    here: { ...numbers(here), ...forecast(task(here), copiersOf(here, rates.here)) },
    aws: {
      ...numbers(aws),
      ...{ seconds, bound, copierSeconds },
      dollars,
      network: {
        transitGateway: (bytes / GB) * prices.transitGatewayGb,
        natGateway: (bytes / GB) * prices.natGatewayGb,
      },
      prices,
    },
  };
}

/** What was measured, and what is assumed of all else. More transfers at once than were measured make small files faster in proportion. */
function ratesOf({ transfers }: Place, measured: Findings['measured']): Rates {
  const usual = assumedRates(transfers);
  if (!measured) return usual;
  const { rates } = measured;
  const more = transfers / measured.transfers;
  const scaled = rates.small && { ...rates.small, filesPerSecond: rates.small.filesPerSecond * more };
  return { ...usual, ...rates, ...(scaled ? { small: scaled } : {}) };
}
