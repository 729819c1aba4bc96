import { constants, gunzipSync, gzipSync } from 'node:zlib';
import type { FileLine } from './file-line.ts';

/** Lines as they are kept: JSON lines, compressed to some twenty bytes each. A job of ten million files has 200 MB of them. */
export function packedLines(lines: readonly FileLine[]): Uint8Array {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return gzipSync(text, { level: constants.Z_BEST_SPEED });
}

export function unpackedLines(packed: Uint8Array): FileLine[] {
  const lines = gunzipSync(packed).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as FileLine);
}
