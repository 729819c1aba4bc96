import { forEach } from '../for-each.ts';
import type { ChunkRecord, PartedUnit } from '../job/job-store.ts';
import type { CopiedPart, PartedFile } from '../job/parts.ts';
import { tableKeys } from '../names.ts';
import { DynamoBatches, FAILURES_AT_ONCE, refusedAt, TRANSACTIONS_AT_ONCE } from './dynamo-batches.ts';
import {
  batchKey,
  chunkKey,
  chunksOf,
  givenUpKey,
  partKey,
  partOf,
  partsOf,
  partitionOf,
  piecesReadOf,
  refusedKey,
  sortKeys,
} from './job-table.ts';
import { onceTaken } from './throttling.ts';

/** What is kept of files that are copied piece by piece: their chunks, what was read of them again, and the parts of single streams. */
export class DynamoPieces extends DynamoBatches {
  async chunks(id: string, split: number): Promise<ChunkRecord[]> {
    const found: ChunkRecord[] = [];
    for await (const item of this.table.under(id, chunksOf(split))) {
      found.push(JSON.parse(String(item['record'])) as ChunkRecord);
    }
    return found;
  }

  async reopenChunks(id: string, split: number, which?: ReadonlySet<number>): Promise<void> {
    const reopening = (await this.chunks(id, split)).filter(({ chunk }) => which?.has(chunk) ?? true);
    const byBatch = Map.groupBy(reopening, ({ batch }) => batch);
    const never = new AbortController().signal;
    // First: what was read of other chunks proves nothing of those that are copied again.
    const read = this.table.under(id, piecesReadOf(split));
    await forEach(read, TRANSACTIONS_AT_ONCE, never, ({ sk }) => this.table.delete(id, String(sk)));
    await forEach(byBatch, TRANSACTIONS_AT_ONCE, never, async ([batch, chunks], both) => {
      for (let at = 0; at < chunks.length; at += FAILURES_AT_ONCE) {
        const reopened = chunks.slice(at, at + FAILURES_AT_ONCE).map((chunk) => ({
          sk: chunkKey(split, chunk.chunk),
          unit: chunk.outcome === 'copied' ? chunk.unit : undefined,
          counted: new Map(chunk.outcome === 'copied' ? [['chunks.bytes', chunk.bytes]] : []),
        }));
        await onceTaken(() => this.reopen(id, batch, reopened), both);
      }
    });
  }

  async giveUpChunks(id: string, split: number): Promise<void> {
    // First, so that no crash leaves chunks that are to be copied again.
    await this.table.transact([this.table.put({ pk: partitionOf(id), sk: givenUpKey(split) })]);
    await this.reopenChunks(id, split);
  }

  async noteRefusal(id: string, split: number, owner: string): Promise<boolean> {
    const noted = await this.table.change(id, refusedKey(split), {
      expression: 'SET #owner = if_not_exists(#owner, :owner), #expires = :expires',
      names: { '#owner': 'owner', '#expires': tableKeys.expires },
      values: { ':owner': owner, ':expires': this.table.expires() },
    });
    return noted?.['owner'] !== owner;
  }

  async isGivenUp(id: string, split: number): Promise<boolean> {
    return (await this.table.get(id, givenUpKey(split))) !== undefined;
  }

  async piecesRead(id: string, split: number, of: string): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    for await (const item of this.table.under(id, piecesReadOf(split))) {
      if (item['of'] === of) found.set(Number(item['piece']), String(item['blocks']));
    }
    return found;
  }

  async keepPieceRead(id: string, split: number, of: string, piece: number, blocks: string): Promise<void> {
    const item = { pk: partitionOf(id), sk: `${piecesReadOf(split)}${piece}`, of, piece, blocks };
    await this.table.transact([this.table.put(item)]);
  }

  async parts(id: string, batch: number, unit: number): Promise<PartedFile | undefined> {
    const found: unknown[] = [];
    for await (const item of this.table.under(id, partsOf(batch, unit))) found.push(JSON.parse(String(item['record'])));
    const [head, ...parts] = found;
    if (!head) return undefined;
    const { count, ...file } = head as Omit<PartedFile, 'parts'> & { readonly count: number };
    return { ...file, parts: parts.slice(0, count) as CopiedPart[] };
  }

  async keepParts(id: string, batch: number, owner: string, unit: number, file: PartedFile): Promise<void> {
    const { parts, ...head } = file;
    const put = (part: number, record: object) =>
      this.table.put({ pk: partitionOf(id), sk: partKey(batch, unit, part), record: JSON.stringify(record) });
    const last = parts.at(-1);
    const owned = this.table.update(id, batchKey(batch), {
      expression: 'SET #owner = :owner',
      condition: '#owner = :owner',
      names: { '#owner': 'owner' },
      values: { ':owner': owner },
    });
    const puts = [put(0, { ...head, count: parts.length }), ...(last ? [put(parts.length, last)] : [])];
    for (;;) {
      try {
        return await this.table.transact([owned, ...puts]);
      } catch (error) {
        if (refusedAt(error) === undefined) throw error;
        // It may have met another write of the batch.
        await this.requireOwner(id, batch, owner);
      }
    }
  }

  async *partedFiles(id: string): AsyncIterable<PartedUnit> {
    for await (const { sk, record } of this.table.under(id, sortKeys.parts)) {
      const [batch, unit, part] = partOf(String(sk));
      if (part > 0) continue;
      const { names } = JSON.parse(String(record)) as PartedFile;
      yield { batch, unit, names };
    }
  }
}
