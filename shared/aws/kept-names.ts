import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { manifestPrefix } from '../names.ts';
import type { NamesOnDisk } from '../machine/name-set.ts';

/** Names in one object: some MiB. */
const NAMES_PER_OBJECT = 50_000;

/**
 * Keeps names that a plan has come by between two invocations of the planner, since the disk of a Lambda ends with it: beside the
 * manifest, in objects that are called after the position of their first name. They expire with the manifest. What an invocation kept that
 * was killed before it could say how far it came is overwritten by the next one, or never read.
 */
export class KeptNames {
  readonly #client: S3Client;
  readonly #bucket: string;

  readonly #kind: string;

  /** @param kind  what objects are called: `names` that flattened files have taken, paths of type changes (`types`) */
  constructor(client: S3Client, bucket: string, kind: 'names' | 'types') {
    this.#client = client;
    this.#bucket = bucket;
    this.#kind = kind;
  }

  /** Keeps the names behind the first `count`, which were kept before. */
  async keep(job: string, names: NamesOnDisk, count: number): Promise<void> {
    let position = count;
    let lines: string[] = [];
    const put = async () => {
      if (lines.length === 0) return;
      await this.#client.send(new PutObjectCommand({ ...this.#object(job, position), Body: lines.join('\n') }));
      position += lines.length;
      lines = [];
    };
    for (const name of names.after(count)) {
      lines.push(JSON.stringify(name));
      if (lines.length === NAMES_PER_OBJECT) await put();
    }
    await put();
  }

  /** Puts the first `count` names that were kept into an empty set. */
  async refill(job: string, names: { add(name: string): unknown }, count: number): Promise<void> {
    for (let position = 0; position < count;) {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#object(job, position)));
      const lines = ((await Body?.transformToString()) ?? '').split('\n');
      for (const line of lines) names.add(JSON.parse(line) as string);
      position += lines.length;
    }
  }

  #object(job: string, position: number): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${manifestPrefix}${job}.${this.#kind}.${position}.jsonl` };
  }
}
