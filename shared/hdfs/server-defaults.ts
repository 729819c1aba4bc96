import type { RegularLayout } from '../storage/checksum.ts';
import { hasCode } from '../storage/errors.ts';
import { Once } from '../once.ts';
import type { NamenodeRest } from './rest.ts';

/** What a nameservice says of new files. */
export interface Defaults extends RegularLayout {
  /** False with `dfs.checksum.type=NULL`. */
  readonly writesChecksums: boolean;
}

/** What the server says new files look like; HDFS's own defaults from servers that do not say. Each nameservice is asked once. */
export class ServerDefaults {
  readonly #rest: NamenodeRest;
  readonly #known = new Once<Defaults>();

  constructor(rest: NamenodeRest) {
    this.#rest = rest;
  }

  of(path: string, signal: AbortSignal): Promise<Defaults> {
    interface Answer {
      FsServerDefaults: { blockSize: number; bytesPerChecksum: number; checksumType: number };
    }
    return this.#known.of(this.#rest.keyOf(path), async () => {
      try {
        const { FsServerDefaults: d } = await this.#rest.json<Answer>('GET', 'GETSERVERDEFAULTS', path, {}, signal);
        // DataChecksum.Type: 0 is none, 1 is CRC32, 2 is CRC32C.
        const crc = d.checksumType === 1 ? 'CRC32' : 'CRC32C';
        const writesChecksums = d.checksumType !== 0;
        return { crc, bytesPerCrc: d.bytesPerChecksum, blockBytes: d.blockSize, writesChecksums };
      } catch (error) {
        if (!hasCode(error, 'invalid', 'unsupported', 'other')) throw error;
        return { crc: 'CRC32C', bytesPerCrc: 512, blockBytes: 128 * 1024 * 1024, writesChecksums: true };
      }
    });
  }
}
