import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { messageOf, SpecError } from '../errors.ts';
import { type FileLine, fileLineOf, type FileLines } from '../job/file-line.ts';
import type { Recorded } from '../job/outcome.ts';
import { packedLines, unpackedLines } from '../job/packed-lines.ts';
import type { Log } from '../log.ts';
import { linePrefix } from '../names.ts';

/** How soon lines are written that were recorded: what a copier that is killed takes along, ms. */
const WRITE_EVERY_MS = 20_000;
/** Lines of one object: it is written anew as it grows. */
const LINES_AN_OBJECT = 5000;
/** Objects that are read at once. */
const AT_ONCE = 16;

/**
 * Lines of jobs in the deployment's bucket: objects below `lines/JOB/`, each of one copier's work on one batch, which expire with the manifests.
 * A line is written after its outcome was recorded, under a name that no other invocation uses: no line stands there twice.
 */
export class S3FileLines implements FileLines {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** @throws SpecError where they may not be read */
  async *fileLines(job: string): AsyncIterable<FileLine> {
    try {
      yield* this.#all(job);
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AccessDenied')) throw error;
      const needs = `it takes s3:ListBucket, and s3:GetObject on ${linePrefix}*`;
      throw new SpecError(
        `cannot read what the bucket ${this.#bucket} keeps of the job ${job}: ${messageOf(error)}`,
        needs,
        error,
      );
    }
  }

  async *#all(job: string): AsyncIterable<FileLine> {
    let token: string | undefined;
    do {
      const command = { Bucket: this.#bucket, Prefix: prefixOf(job), ContinuationToken: token };
      const { Contents = [], NextContinuationToken } = await this.#client.send(new ListObjectsV2Command(command));
      const keys = Contents.flatMap(({ Key }) => Key ?? []);
      for (let at = 0; at < keys.length; at += AT_ONCE) {
        const read = keys.slice(at, at + AT_ONCE).map((key) => this.#read(key));
        for (const lines of await Promise.all(read)) yield* lines;
      }
      token = NextContinuationToken;
    } while (token !== undefined);
  }

  /** @param work  names one invocation's work, such as `BATCH.OWNER`, and no other's */
  writer(job: string, work: string, log: Log): LineWriter {
    const put = async (part: number, lines: readonly FileLine[]) => {
      const object = { Bucket: this.#bucket, Key: `${prefixOf(job)}${work}.${part}.jsonl.gz` };
      await this.#client.send(new PutObjectCommand({ ...object, Body: packedLines(lines) }));
    };
    return new LineWriter(put, log);
  }

  async #read(Key: string): Promise<FileLine[]> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }));
    return unpackedLines((await Body?.transformToByteArray()) ?? new Uint8Array());
  }
}

function prefixOf(job: string): string {
  return `${linePrefix}${job}/`;
}

/** Writes the lines of one invocation as they come. They are for the eye alone: one that cannot be written is a warning. */
export class LineWriter {
  readonly #put: (part: number, lines: readonly FileLine[]) => Promise<void>;
  readonly #log: Log;
  #lines: FileLine[] = [];
  #part = 0;
  #isDirty = false;
  #writtenAtMs = performance.now();
  #writing = Promise.resolve();

  constructor(put: (part: number, lines: readonly FileLine[]) => Promise<void>, log: Log) {
    this.#put = put;
    this.#log = log;
  }

  /** @param outcome  that was recorded */
  add(outcome: Recorded): void {
    const line = fileLineOf(outcome);
    if (!line) return;
    this.#lines.push(line);
    this.#isDirty = true;
    const isFull = this.#lines.length >= LINES_AN_OBJECT;
    if (isFull || performance.now() - this.#writtenAtMs >= WRITE_EVERY_MS) void this.flush();
  }

  /** Never rejects. */
  flush(): Promise<void> {
    if (this.#isDirty) {
      const [part, lines] = [this.#part, [...this.#lines]];
      this.#isDirty = false;
      this.#writtenAtMs = performance.now();
      if (lines.length >= LINES_AN_OBJECT) {
        this.#lines = [];
        this.#part += 1;
      }
      this.#writing = this.#writing
        .then(() => this.#put(part, lines))
        .catch((error: unknown) => this.#log.warn({ error: messageOf(error) }, 'lines for the report are not written'));
    }
    return this.#writing;
  }
}
