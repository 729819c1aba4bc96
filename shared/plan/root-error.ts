import { FanoutError } from '../errors.ts';

/** What fails one file elsewhere fails the job at a root. @throws RootError */
export async function atRoot(step: Promise<void> | undefined): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!(error instanceof FanoutError) || error.disposition === 'fail-job') throw error;
    throw new RootError(error);
  }
}

class RootError extends FanoutError {
  override readonly name = 'RootError';
  constructor(error: FanoutError) {
    const { where, remedy } = error;
    super(`the destination cannot be written: ${error.reason}`, {
      disposition: 'fail-job',
      where,
      remedy,
      cause: error,
    });
  }
}
