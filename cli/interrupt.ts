import { exitCodes } from './exit-codes.ts';

/**
 * Aborts at the first Ctrl-C, SIGTERM or SIGHUP (the terminal was closed), so that what is half-done can be taken back; a second one
 * ends the process at once.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort(new Error('interrupted'));
    });
  }
  return controller.signal;
}
