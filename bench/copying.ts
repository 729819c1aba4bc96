// The copies: every contestant in every case.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Case, describe, pathsOf } from './cases.ts';
import type { Arena, Contestant } from './contestants.ts';
import { atDistance } from './distance.ts';
import { type Command, type Measured, measure } from './measure.ts';
import type { CaseResult } from './results.ts';
import { playRounds } from './rounds.ts';
import { empty, expectedChecksums, layOut, requireCopied } from './trees.ts';

export type Say = (line: string) => void;

/** How a command is run; by default as it is. */
type Variation = (command: Command, contestant: Contestant, of: Case) => Command;

const asItIs: Variation = (command) => command;
const destinationRoot = '/copies';

export interface Copying {
  readonly arena: Arena;
  readonly servers: readonly number[];
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly say: Say;
  readonly vary?: Variation;
}

export const copyCase = async (of: Case, copying: Copying): Promise<CaseResult> => {
  const { arena, servers, rounds, say, vary = asItIs } = copying;
  const { source, destination, scratch } = arena;
  const from = `/sources/${of.name}`;
  const to = `${destinationRoot}/${of.name}`;
  say(`${of.name}: ${describe(of)}`);
  await layOut(source, from, pathsOf(of), of.fileBytes, of.sourceBlockBytes);
  const expected = expectedChecksums(of);
  await using distant = of.roundTripMs === undefined ? undefined : await atDistance(arena, of.roundTripMs);
  const busy = distant ? [...servers, distant.pid] : servers;
  const contestants = copying.contestants.filter(({ name }) => of.contestants.includes(name));
  const entrants = contestants.map((contestant) => ({
    ...contestant,
    run: async (): Promise<Measured> => {
      await empty(destination, destinationRoot);
      await rm(join(scratch, 'jobs'), { recursive: true, force: true });
      const command = await contestant.command(distant?.arena ?? arena, { case: of, from, to });
      const { measured } = await measure(vary(command, contestant, of), busy);
      await requireCopied(of, destination, to, expected);
      return measured;
    },
  }));
  const rows = await playRounds(entrants, rounds, (round, title, outcome) => {
    const told = typeof outcome === 'string' ? `failed: ${outcome}` : `${outcome.wallSeconds.toFixed(2)} s`;
    say(`  ${round === 0 ? 'warm-up' : `round ${round}`}  ${title.padEnd(26)} ${told}`);
  });
  await empty(destination, destinationRoot);
  return { case: of, rows, ...(distant ? { distance: distant.distance } : {}) };
};
