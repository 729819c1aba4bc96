import { FanoutError } from '../errors.ts';
import { type AnyBatch, type Batch, isSplit, parseBatch, type Unit } from './unit.ts';

/** A place between two lines of a manifest. Plain JSON. */
export interface ManifestPosition {
  /** No batch behind the position has a lower number. */
  readonly batch: number;
  /** Where the next line begins, from the manifest's first byte. */
  readonly offsetBytes: number;
}

export const manifestStart: ManifestPosition = { batch: 0, offsetBytes: 0 };

/** How the line of a batch begins; its units follow, separated by commas, then `LINE_END`. */
export function lineHead({ batch, units }: AnyBatch): string {
  return `{"batch":${batch},"count":${units.length},"units":[`;
}

export const LINE_END = ']}\n';

/** Lines of an earlier version have no count. */
const HEAD = /^\{"batch":(\d+),(?:"count":(\d+),)?/;
const HEAD_BYTES = 64;
const NEWLINE = 10;

/** Tells that a manifest holds something else, or cannot be read at all. */
type Unreadable = (cause: unknown) => Error;

/** One line of a manifest. Its units are parsed when they are first asked for: most lines are only passed by. */
export class BatchLine implements Batch {
  readonly batch: number;
  /** Where the line begins. */
  readonly position: ManifestPosition;
  /** Where the line after it begins. */
  readonly next: ManifestPosition;
  readonly #count: number | undefined;
  readonly #unreadable: Unreadable;
  #bytes: Buffer;
  #units: readonly Unit[] | undefined;

  /** @param bytes  without the newline */
  constructor(bytes: Buffer, offsetBytes: number, unreadable: Unreadable) {
    const [, batch, count] = HEAD.exec(bytes.toString('latin1', 0, HEAD_BYTES)) ?? [];
    if (batch === undefined) throw unreadable('a line of it is no batch');
    this.batch = Number(batch);
    this.#count = count === undefined ? undefined : Number(count);
    this.#bytes = bytes;
    this.#unreadable = unreadable;
    this.position = { batch: this.batch, offsetBytes };
    this.next = { batch: this.batch + 1, offsetBytes: offsetBytes + bytes.length + 1 };
  }

  /** How many units it has. */
  get count(): number {
    return this.#count ?? this.units.length;
  }

  /** Whether files may be among its units that chunks copy. Costs no parsing: a quote within a name stands behind a backslash. */
  get hasSplitFiles(): boolean {
    return this.#units ? this.#units.some(isSplit) : this.#bytes.includes('"split":{');
  }

  /** @throws when the line is no JSON */
  get units(): readonly Unit[] {
    this.#units ??= this.#parse();
    return this.#units;
  }

  #parse(): readonly Unit[] {
    try {
      const { units } = parseBatch(this.#bytes.toString());
      this.#bytes = Buffer.alloc(0);
      return units;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }
}

/**
 * Cuts what a manifest holds into its lines. Not node:readline, which also ends a line at U+2028 and U+2029: JSON leaves these in
 * names as they are.
 *
 * @param chunks  the manifest from `offsetBytes` on
 * @throws what `unreadable` makes of chunks that do not come, and of a last line without an end
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  offsetBytes: number,
  unreadable: Unreadable,
): AsyncGenerator<BatchLine> {
  let rest: Uint8Array[] = [];
  let at = offsetBytes;
  for await (const chunk of readable(chunks, unreadable)) {
    let begin = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
      const line = new BatchLine(Buffer.concat([...rest, chunk.subarray(begin, end)]), at, unreadable);
      rest = [];
      begin = end + 1;
      at = line.next.offsetBytes;
      yield line;
    }
    if (begin < chunk.length) rest.push(chunk.subarray(begin));
  }
  if (rest.length > 0) throw unreadable('it is cut short');
}

async function* readable(chunks: AsyncIterable<Uint8Array>, unreadable: Unreadable): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw error instanceof FanoutError ? error : unreadable(error);
  }
}
