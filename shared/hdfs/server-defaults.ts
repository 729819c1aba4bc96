import type { RegularLayout } from '../storage/checksum.ts';
import { hasCode } from '../storage/errors.ts';
import { Once } from '../once.ts';
import type { NamenodeRest } from './rest.ts';

/** What a nameservice says of new files. */
export interface Defaults extends RegularLayout {
  /** False with `dfs.checksum.type=NULL`. */
  readonly writesChecksums: boolean;
  /** After which the trash is emptied, minutes; 0 where there is none, undefined where the server does not say. */
  readonly trashMinutes: number | undefined;
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
      FsServerDefaults: { blockSize: number; bytesPerChecksum: number; checksumType: number; trashInterval?: number };
    }
    return this.#known.of(this.#rest.keyOf(path), async () => {
      try {
        const { FsServerDefaults: d } = await this.#rest.json<Answer>('GET', 'GETSERVERDEFAULTS', path, {}, signal);
        // DataChecksum.Type: 0 is none, 1 is CRC32, 2 is CRC32C.
        const crc = d.checksumType === 1 ? 'CRC32' : 'CRC32C';
        const writesChecksums = d.checksumType !== 0;
        const { blockSize: blockBytes, bytesPerChecksum: bytesPerCrc, trashInterval: trashMinutes } = d;
        return { crc, bytesPerCrc, blockBytes, writesChecksums, trashMinutes };
      } catch (error) {
        if (!hasCode(error, 'invalid', 'unsupported', 'other')) throw error;
        const blockBytes = 128 * 1024 * 1024;
        return { crc: 'CRC32C', bytesPerCrc: 512, blockBytes, writesChecksums: true, trashMinutes: undefined };
      }
    });
  }
}
