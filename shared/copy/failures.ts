/** What a storage's error means, by its code: the classes are the storage's own. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Somebody writes the file. */
export function isOpen(error: unknown): boolean {
  return hasCode(error, 'open');
}

/** Something stands at the name. */
export function isExists(error: unknown): boolean {
  return hasCode(error, 'exists');
}
