import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteObjectsCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { manifestPrefix } from '../names.ts';

/** Of lines in one object, before they are compressed. */
const PART_CHARACTERS = 8 * 1024 * 1024;
/** DeleteObjects takes so many keys. */
const KEYS_AT_ONCE = 1000;

/**
 * What jobs that only look have found, as JSON Lines: `manifests/JOB.report.N.jsonl.gz`, N from 1, beside the manifest and expiring with it. A part
 * is written again by whoever takes up a job that was killed, and what lies behind the parts that the job's record counts is nobody's.
 */
export class S3Reports {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** Goes on behind so many parts. */
  writer(job: string, parts: number): S3ReportWriter {
    return new S3ReportWriter(parts, async (part, lines) => {
      const Body = gzipSync(lines);
      const ContentType = 'application/gzip';
      await this.#client.send(new PutObjectCommand({ ...this.#object(job, part), Body, ContentType }));
    });
  }

  /** The lines of the first parts, in their order, without their ends. */
  async *lines(job: string, parts: number): AsyncGenerator<string> {
    for (let part = 1; part <= parts; part++) {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#object(job, part)));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
      yield* text.split('\n').filter((line) => line !== '');
    }
  }

  /** Forgets the first parts. Safe to run again. */
  async remove(job: string, parts: number): Promise<void> {
    for (let part = 1; part <= parts; part += KEYS_AT_ONCE) {
      const count = Math.min(KEYS_AT_ONCE, parts - part + 1);
      const Objects = Array.from({ length: count }, (_, index) => ({ Key: this.#object(job, part + index).Key }));
      await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }));
    }
  }

  #object(job: string, part: number): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${manifestPrefix}${job}.report.${part}.jsonl.gz` };
  }
}

/** Lines of a report on their way. */
export class S3ReportWriter {
  readonly #put: (part: number, lines: string) => Promise<void>;
  #parts: number;
  #lines: string[] = [];
  #characters = 0;

  constructor(parts: number, put: (part: number, lines: string) => Promise<void>) {
    this.#parts = parts;
    this.#put = put;
  }

  /** Parts that are kept. */
  get parts(): number {
    return this.#parts;
  }

  /** Whether there is as much as one part holds. */
  get isFull(): boolean {
    return this.#characters >= PART_CHARACTERS;
  }

  add(line: object): void {
    const text = `${JSON.stringify(line)}\n`;
    this.#lines.push(text);
    this.#characters += text.length;
  }

  /** Keeps what there is as a part. */
  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#characters = 0;
    await this.#put(this.#parts + 1, lines);
    this.#parts += 1;
  }
}
