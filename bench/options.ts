// The command line.
import { parseArgs } from 'node:util';
import { type Case, cases, type ListingCase, listingCases, quickCases, quickListingCases } from './cases.ts';
import { type Contestant, contestants } from './contestants.ts';

/** Names in as many lines as they need, in the column of the options' descriptions. */
const listed = (all: readonly { readonly name: string }[]): string => {
  const lines = ['(default: all)'];
  for (const { name } of all) {
    const longer = `${lines.at(-1) ?? ''} ${name}`;
    if (longer.length > 70) lines.push(name);
    else lines[lines.length - 1] = longer;
  }
  return lines.join(`\n${' '.repeat(25)}`);
};

export const usage = `usage: npm run bench -- [options]
  --quick                fewer and smaller files, one round: for developing
  --only CASE,…          ${listed([...cases, ...listingCases])}
  --contestants NAME,…   ${listed(contestants)}
  --rounds N             counted ones, after one that is not (default 3)
  --profile              where Node spends its time, by contestant; counts nothing
  --help

The results go to bench/results/, but not those of --quick and --profile.`;

export interface Options {
  readonly quick: boolean;
  readonly cases: readonly Case[];
  readonly listings: readonly ListingCase[];
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly profile: boolean;
  readonly help: boolean;
}

const chosen = <T extends { readonly name: string }>(all: readonly T[], names: readonly string[] | undefined): T[] =>
  all.filter(({ name }) => names?.includes(name) ?? true);

const namesIn = (text: string | undefined, known: readonly string[], option: string): string[] | undefined => {
  const names = text?.split(',');
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${option} takes ${known.join(', ')}, not ${unknown}`);
  return names;
};

/** @throws in one line, for a person */
export const parseOptions = (args: string[]): Options => {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contestants: { type: 'string' },
      rounds: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { quick, profile, help } = values;
  const rounds = values.rounds ?? (quick ? '1' : '3');
  if (!/^[1-9]\d*$/.test(rounds)) throw new Error(`--rounds takes a positive number, not ${rounds}`);
  const [copies, listings] = quick ? [quickCases, quickListingCases] : [cases, listingCases];
  const known = [...copies, ...listings].map(({ name }) => name);
  const only = namesIn(values.only, known, '--only');
  const everyone = contestants.map(({ name }) => name);
  const wanted = namesIn(values.contestants, everyone, '--contestants');
  return {
    quick,
    profile,
    help,
    rounds: Number(rounds),
    cases: chosen(copies, only),
    listings: chosen(listings, only),
    contestants: chosen(contestants, wanted),
  };
};
