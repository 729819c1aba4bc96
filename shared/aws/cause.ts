/**
 * What the cause of a failed state says to a person. That of a Lambda is JSON around the message; Step Functions cuts a long one off,
 * so that it may not parse. Any other cause is returned as it is.
 */
export function messageInCause(cause: string): string {
  const [, message] = /^\{.*?"errorMessage":\s*"((?:[^"\\]|\\.)*)"/s.exec(cause) ?? [];
  if (message === undefined) return cause;
  try {
    return JSON.parse(`"${message}"`) as string;
  } catch {
    return cause;
  }
}
