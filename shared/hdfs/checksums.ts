import { TransportError } from '../errors.ts';
import { retry } from '../retry.ts';
import type { Layouts, Near, StoredChecksums } from '../storage/capabilities.ts';
import {
  type CrcSettings,
  type FileChecksum,
  type JsonChecksum,
  layoutOf,
  layoutWith,
  parseFileChecksum,
} from '../storage/checksum.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import { blocksMs } from '../storage/pace.ts';
import type { DatanodeConnection } from './datanode/connection.ts';
import { Datanode } from './datanode/datanode.ts';
import { OptionalOperations } from './optional-operations.ts';
import { remoteErrorOf } from './remote-exception.ts';
import type { NamenodeRest } from './rest.ts';
import { ServerDefaults } from './server-defaults.ts';
import type { Target, TwoStep } from './two-step.ts';

/** Tries of one GETFILECHECKSUM: a datanode asks others for their blocks, any of which may be gone for a moment. */
const CHECKSUM_TRIES = 3;

/** GETFILECHECKSUM and what it takes to read its answer. */
export class RemoteChecksums implements StoredChecksums {
  readonly #rest: NamenodeRest;
  readonly #twoStep: TwoStep;
  readonly #defaults: ServerDefaults;
  readonly #optional = new OptionalOperations();
  /** The CRC settings of checksums seen, by their spelling, the last one at the end: clusters have one, or two after a change. */
  readonly #crcs = new Map<string, CrcSettings>();
  /** Nameservices that write no checksums and were seen to have none. */
  readonly #without = new Set<string>();
  readonly #reserved = new WeakMap<Near, DatanodeConnection>();

  constructor(rest: NamenodeRest, twoStep: TwoStep) {
    this.#rest = rest;
    this.#twoStep = twoStep;
    this.#defaults = new ServerDefaults(rest);
  }

  prepare(path: string, near: Near): Disposable | undefined {
    if (!(near instanceof Datanode) || this.#without.has(this.#rest.keyOf(path))) return undefined;
    const connection = this.#rest.http.reserve(near.checksumUrl, { operation: 'GETFILECHECKSUM', path }, 0);
    if (connection) this.#reserved.set(near, connection);
    return connection;
  }

  async stored(path: string, signal: AbortSignal, near?: Near, lengthBytes = 0): Promise<FileChecksum | undefined> {
    if (this.#without.has(this.#rest.keyOf(path))) return undefined;
    let text: string;
    try {
      text = await this.answer(path, signal, near, lengthBytes);
    } catch (error) {
      // What stays wrong with a block's checksums (chunks of several sizes, say) looks like a datanode that is gone; a file whose
      // blocks are really gone cannot be read either.
      if (!hasCode(error, 'no-checksum', 'no-block')) throw error;
      return this.#noChecksum(path, signal);
    }
    let json: JsonChecksum | null | undefined;
    try {
      ({ FileChecksum: json } = JSON.parse(text) as { FileChecksum: JsonChecksum | null | undefined });
    } catch {
      throw remoteErrorOf(200, text, { operation: 'GETFILECHECKSUM', path });
    }
    if (!json?.algorithm) return this.#noChecksum(path, signal);
    const checksum = parseFileChecksum(json);
    const layout = layoutOf(checksum);
    if (layout) {
      const { crc, bytesPerCrc } = layout;
      const key = `${crc}/${bytesPerCrc}`;
      this.#crcs.delete(key);
      this.#crcs.set(key, { crc, bytesPerCrc });
    }
    return checksum;
  }

  /** Where new files get none either, no other file is asked about. */
  async #noChecksum(path: string, signal: AbortSignal): Promise<undefined> {
    if (!(await this.#defaults.of(path, signal)).writesChecksums) this.#without.add(this.#rest.keyOf(path));
  }

  async blockLengths(path: string, lengthBytes: number, signal: AbortSignal): Promise<readonly number[] | undefined> {
    interface Locations {
      BlockLocations: { BlockLocation: { offset: number; length: number }[] };
    }
    const range = { offset: 0, length: Math.max(1, lengthBytes) };
    const json = await this.#optional.run(this.#rest.keyOf(path), () =>
      this.#rest.json<Locations>('GET', 'GETFILEBLOCKLOCATIONS', path, range, signal),
    );
    if (!json) return undefined;
    const blocks = json.BlockLocations.BlockLocation;
    // Of a file in a snapshot that was added to since, a server tells the last block as it is now.
    const wanted = blocks.filter(({ offset }) => offset < lengthBytes).sort((a, b) => a.offset - b.offset);
    return wanted.map(({ offset, length }) => Math.min(length, lengthBytes - offset));
  }

  async expectedLayouts(path: string, blockBytes: number | undefined, signal: AbortSignal): Promise<Layouts> {
    const defaults = await this.#defaults.of(path, signal);
    // Until the first checksum tells, an HttpFS may be one that combines CRCs; datanodes do not, where they keep any.
    const isKnown = defaults.writesChecksums && this.#rest.nameservice(path).hasDatanodes;
    const unknown = isKnown ? [] : [{ crc: defaults.crc, bytesPerCrc: Infinity }];
    const [last = defaults, ...others] = [...this.#crcs.values()].reverse();
    const layout = (settings: CrcSettings) => layoutWith(settings, blockBytes ?? defaults.blockBytes);
    return [layout(last), ...(this.#crcs.size > 0 ? others : unknown).map(layout)];
  }

  /** What a server answers to GETFILECHECKSUM. @throws StorageError open, no-checksum, no-block, … */
  async answer(path: string, signal: AbortSignal, near: Near | undefined, lengthBytes: number): Promise<string> {
    const { answerMs, dataMs } = this.#rest.http.patience;
    const limitMs = dataMs + blocksMs(lengthBytes);
    // Made for the datanode that is asked first, and good for one question.
    const reserved = near && this.#reserved.get(near);
    if (near) this.#reserved.delete(near);
    const at = async ({ url, where, headers, near: datanode }: Target, connection?: DatanodeConnection) => {
      const { http } = this.#rest;
      const { status, text } =
        (datanode && (await http.exchangeRaw(url, where, signal, limitMs, connection))) ??
        (await http.exchange('GET', url, where, signal, headers, limitMs));
      if (status !== 200) throw remoteErrorOf(status, text, where);
      return text;
    };
    const asked = { operation: 'GETFILECHECKSUM', path };
    if (near instanceof Datanode) {
      try {
        return await this.#twoStep.follow(near.checksumUrl, asked, (target) => at(target, reserved));
      } catch (error) {
        signal.throwIfAborted();
        if (hasCode(error, 'open', 'no-checksum')) throw error;
        // The namenode knows another datanode, or a better reason.
      }
    }
    const policy = {
      attempts: CHECKSUM_TRIES,
      totalMs: this.#rest.cluster.retry_timeout * 1000,
      baseMs: 200,
      capMs: 5000,
    };
    const again = (error: unknown) =>
      error instanceof TransportError || (error instanceof StorageError && error.disposition === 'retry')
        ? 'soon'
        : 'no';
    return retry(policy, signal, again, async () => {
      // A namenode only redirects; HttpFS computes it.
      const firstMs = this.#rest.nameservice(path).hasDatanodes ? answerMs : limitMs;
      const { location, text } = await this.#rest.call('GET', 'GETFILECHECKSUM', path, {}, signal, firstMs);
      return location === undefined ? text : this.#twoStep.follow(location, asked, (target) => at(target));
    });
  }
}
