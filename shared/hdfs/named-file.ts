import { readFileSync } from 'node:fs';
import { messageOf, SpecError } from '../errors.ts';

/** The content of a file that a field of a cluster's definition names. @throws SpecError when it cannot be read */
export function readNamedFile(cluster: string, field: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SpecError(`cluster ${cluster}: cannot read its ${field} ${file}: ${messageOf(error)}`, undefined, error);
  }
}
