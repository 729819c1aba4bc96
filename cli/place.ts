import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, printable, SpecError } from '../shared/errors.ts';

/** A list or a report gets its name at the very end. @throws SpecError when it could not be written where a flag says */
export function requirePlace(flag: string, file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SpecError(`${flag} ${printable(file)}: ${messageOf(error)}`, 'name a file in another directory');
  }
}
