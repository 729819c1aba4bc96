import type { Finishing } from '../../shared/finish/finishing.ts';

/** What a job is finished with of which no file is split. */
export const noSplits: Pick<Finishing, 'assemble' | 'onOutcome'> = {
  assemble: () => Promise.reject(new Error('no file is split')),
  onOutcome: () => undefined,
};
