import {
  CopyObjectCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { messageOf, SpecError } from '../errors.ts';
import { listPrefix, manifestPrefix, startedListPrefix } from '../names.ts';
import { ListOnDisk } from '../machine/list-on-disk.ts';
import { listLines } from '../plan/list-lines.ts';
import { objectChunks } from './s3-object.ts';

/** A Lambda's disk holds some 512 MB, and a list on it is twice as long. */
const MOST_BYTES = 200 * 1024 * 1024;

/**
 * Lists of paths in the deployment's bucket: those that people put below `lists/`, and of each job its own, which lies beside its manifest,
 * expires with it, and stays as it was when the job began.
 */
export class S3Lists {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** Puts the list of a job that a person starts where the planner finds it. @returns what the job calls it */
  async upload(job: string, chunks: AsyncIterable<Uint8Array>): Promise<string> {
    const Key = `${startedListPrefix}${job}`;
    const all: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw tooLong();
      all.push(Uint8Array.from(chunk));
    }
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key, Body: Buffer.concat(all) }));
    return `s3://${this.#bucket}/${Key}`;
  }

  /** Keeps a list for a job. @param uri  as the job calls it. @throws SpecError for one that is not there, or lies elsewhere */
  async keep(job: string, uri: string): Promise<void> {
    const prefix = `s3://${this.#bucket}/`;
    const key = uri.startsWith(prefix) ? uri.slice(prefix.length) : '';
    if (!key.startsWith(listPrefix)) {
      throw new SpecError(
        `options.filesFrom: ${uri} is no list of this deployment`,
        `put it to ${prefix}${listPrefix}NAME`,
      );
    }
    let length = 0;
    try {
      const found = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }));
      length = found.ContentLength ?? 0;
    } catch (error) {
      if (!(error instanceof Error && error.name === 'NotFound')) throw error;
      throw new SpecError(`options.filesFrom: there is no ${uri}: ${messageOf(error)}`, 'put it there');
    }
    if (length > MOST_BYTES) throw tooLong();
    const CopySource = `${this.#bucket}/${encodeURIComponent(key)}`;
    // Tags would be copied otherwise, which takes rights that the planner does not need:
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    const bare = { TaggingDirective: 'REPLACE' } as const;
    await this.#client.send(new CopyObjectCommand({ ...this.#object(job), CopySource, ...bare }));
  }

  /** The kept list of a job, on this Lambda's disk. @param root  of the source. @throws SpecError for a line that is no path below it */
  async open(job: string, root: string): Promise<ListOnDisk> {
    const list = new ListOnDisk();
    await list.fill(listLines(objectChunks(this.#client, this.#object(job))), root);
    return list;
  }

  /** Forgets the kept list of a job. Safe to run again. */
  async remove(job: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(job)));
  }

  #object(job: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${manifestPrefix}${job}.list` };
  }
}

function tooLong(): SpecError {
  return new SpecError(
    `options.filesFrom: the list is longer than ${MOST_BYTES} bytes`,
    'cut it into several jobs, or use hdfs-fanout copy, which takes any',
  );
}
