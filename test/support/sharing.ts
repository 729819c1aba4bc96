import pLimit from 'p-limit';
import type { Sharing } from '../../shared/copy/copy-again.ts';
import { HeldBatches } from '../../shared/job/held-batches.ts';

/** What a finish of its own shares with nobody. @param released  gets each batch that is let go */
export const sharing = (atOnce = 10, released: number[] = []): Sharing => ({
  held: new HeldBatches((batch) => Promise.resolve(void released.push(batch))),
  transfer: pLimit(atOnce),
});
