// Round after round, each contestant in turn.
import { messageOf } from '../shared/errors.ts';
import { rotated } from './statistics.ts';

export interface Entrant<M> {
  readonly name: string;
  readonly title: string;
  readonly floor?: string;
  /** One whole turn. @throws when it was not a fair one */
  readonly run: () => Promise<M>;
}

export interface Outcome<M> {
  readonly name: string;
  readonly title: string;
  readonly floor?: string;
  readonly runs: M[];
  error?: string;
}

/**
 * A warm-up round, which counts for nothing but lets the daemons compile what they run, then the counted ones. Who fails
 * has no times and takes no further part.
 */
export const playRounds = async <M>(
  entrants: readonly Entrant<M>[],
  rounds: number,
  say: (round: number, entrant: string, outcome: M | string) => void,
): Promise<Outcome<M>[]> => {
  const outcomes = new Map<string, Outcome<M>>();
  for (const { name, title, floor } of entrants) {
    outcomes.set(name, { name, title, ...(floor === undefined ? {} : { floor }), runs: [] });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { name, title, run } of rotated(entrants, round)) {
      const outcome = outcomes.get(name);
      if (!outcome || outcome.error !== undefined) continue;
      try {
        const measured = await run();
        say(round, title, measured);
        if (round > 0) outcome.runs.push(measured);
      } catch (error) {
        outcome.error = messageOf(error);
        outcome.runs.length = 0;
        say(round, title, outcome.error);
      }
    }
  }
  return [...outcomes.values()];
};
