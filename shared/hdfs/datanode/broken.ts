/** A connection whose server ended it before it had said everything. */
export function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}

/** A server has said, or read, nothing for too long. Its message says what was waited for. */
export class Silence extends Error {
  readonly code = 'ETIMEDOUT';
}
