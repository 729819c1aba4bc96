/** A connection whose server ended it before it had said everything. */
export function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}

/** A connection whose server has said, or read, nothing for too long. */
export function silent(): Error {
  return Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' });
}
