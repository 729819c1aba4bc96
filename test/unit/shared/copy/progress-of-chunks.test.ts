import { expect, it } from 'vitest';
import { Progress } from '../../../../shared/copy/progress.ts';
import { copiedChunk, failed, failedChunk } from '../../../support/outcomes.ts';

it('a file counts among the failures once, however many of its chunks fail', () => {
  const progress = new Progress();
  for (const outcome of [
    failed(0),
    failedChunk(1, 5, 0),
    failedChunk(2, 5, 1),
    failedChunk(3, 6, 0),
    copiedChunk(4, 7, 0),
  ])
    progress.settle(outcome);
  expect({ failures: progress.failures, failed: progress.failed }).toEqual({ failures: 3, failed: 1 });
});
