import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListPartsCommand,
  NoSuchKey,
  NoSuchUpload,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { ManifestStore, ManifestWriter } from '../job/manifest.ts';
import { type BatchLine, LINE_END, lineHead, linesOf, manifestStart } from '../job/manifest-lines.ts';
import { messageOf } from '../errors.ts';
import { manifestPrefix } from '../names.ts';
import type { AnyBatch } from '../job/unit.ts';
import { objectChunks } from './s3-object.ts';

/** S3 refuses a part below 5 MiB that is not the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
/** 10,000 parts of this are 80 GiB of manifest: some 400 million files. */
const PART_BYTES = 8 * 1024 * 1024;

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
}

/** An unfinished manifest as it is parked between two invocations, with a cursor of whoever writes it. */
interface Checkpoint {
  readonly uploadId: string;
  readonly parts: readonly Part[];
  /** Lines that do not fill a part yet. */
  readonly tail: string;
  readonly cursor: unknown;
}

/** A manifest that an invocation may leave for the next one to go on with. */
export type S3ManifestWriter = Required<ManifestWriter>;

/** Manifests in S3: `manifests/<job>.jsonl`, one object each, written as one multipart upload over any number of invocations. */
export class S3Manifests implements ManifestStore {
  readonly #client: S3Client;
  readonly bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.bucket = bucket;
  }

  keyOf(name: string): string {
    return `${manifestPrefix}${name}.jsonl`;
  }

  async create(name: string): Promise<S3ManifestWriter> {
    await this.remove(name);
    const { UploadId: uploadId = '' } = await this.#client.send(
      new CreateMultipartUploadCommand({
        Bucket: this.bucket,
        Key: this.keyOf(name),
        ContentType: 'application/jsonl',
      }),
    );
    return this.#writer(name, { uploadId, parts: [], tail: '' });
  }

  /** Goes on with what was suspended; undefined when nothing was, or when its upload was closed or dropped by S3 since. */
  async resume(name: string): Promise<{ writer: S3ManifestWriter; cursor: unknown } | undefined> {
    const checkpoint = await this.#checkpoint(name);
    if (!checkpoint || !(await this.#isOpen(name, checkpoint.uploadId))) return undefined;
    return { writer: this.#writer(name, checkpoint), cursor: checkpoint.cursor };
  }

  /** @param beginsAt  what positions tell as its first byte */
  async *read(name: string, { offsetBytes } = manifestStart, beginsAt = 0): AsyncIterable<BatchLine> {
    const unreadable = (cause: unknown) => {
      const error = new Error(`the manifest ${name} cannot be read: ${messageOf(cause)}`, { cause });
      // What AWS answers is told as such.
      return cause instanceof Error && '$metadata' in cause ? cause : error;
    };
    const object = { Bucket: this.bucket, Key: this.keyOf(name) };
    yield* linesOf(objectChunks(this.#client, object, offsetBytes - beginsAt), offsetBytes, unreadable);
  }

  async remove(name: string): Promise<void> {
    const checkpoint = await this.#checkpoint(name);
    if (checkpoint) await this.#abort(name, checkpoint.uploadId);
    const Objects = [{ Key: this.keyOf(name) }, { Key: checkpointKey(name) }];
    await this.#client.send(new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects, Quiet: true } }));
  }

  #writer(name: string, from: Pick<Checkpoint, 'uploadId' | 'parts' | 'tail'>): S3ManifestWriter {
    const { uploadId } = from;
    const parts = [...from.parts];
    let lines: string[] = from.tail === '' ? [] : [from.tail];
    let bytes = Buffer.byteLength(from.tail);
    const upload = async (isLast: boolean) => {
      if (!isLast && bytes < LEAST_PART_BYTES) throw new Error(`a part of ${bytes} bytes is less than S3 takes`);
      const PartNumber = parts.length + 1;
      const place = { Bucket: this.bucket, Key: this.keyOf(name), UploadId: uploadId };
      const { ETag = '' } = await this.#client.send(
        new UploadPartCommand({ ...place, PartNumber, Body: Buffer.from(lines.join('')) }),
      );
      parts.push({ PartNumber, ETag });
      lines = [];
      bytes = 0;
    };
    const add = async (batch: AnyBatch) => {
      const line = `${lineHead(batch)}${batch.units.map((unit) => JSON.stringify(unit)).join()}${LINE_END}`;
      lines.push(line);
      bytes += Buffer.byteLength(line);
      if (bytes >= PART_BYTES) await upload(false);
    };
    // Each begins when the one before it has ended: an upload takes all lines there are, and none may come meanwhile.
    let added = Promise.resolve();
    return {
      append: (batch) => {
        added = added.then(() => add(batch));
        return added;
      },
      suspend: async (cursor) => {
        await added;
        const checkpoint: Checkpoint = { uploadId, parts, tail: lines.join(''), cursor };
        const Body = JSON.stringify(checkpoint);
        await this.#client.send(new PutObjectCommand({ Bucket: this.bucket, Key: checkpointKey(name), Body }));
      },
      close: async () => {
        await added;
        if (bytes > 0 || parts.length === 0) await upload(true);
        const place = { Bucket: this.bucket, Key: this.keyOf(name) };
        await this.#client.send(
          new CompleteMultipartUploadCommand({ ...place, UploadId: uploadId, MultipartUpload: { Parts: parts } }),
        );
        await this.#client.send(
          new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects: [{ Key: checkpointKey(name) }] } }),
        );
      },
      discard: () => this.#abort(name, uploadId),
    };
  }

  async #checkpoint(name: string): Promise<Checkpoint | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.bucket, Key: checkpointKey(name) }));
      return JSON.parse((await Body?.transformToString()) ?? '') as Checkpoint;
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  /** Whoever closed an upload may have been killed before the checkpoint was gone. */
  async #isOpen(name: string, uploadId: string): Promise<boolean> {
    try {
      const place = { Bucket: this.bucket, Key: this.keyOf(name), UploadId: uploadId };
      await this.#client.send(new ListPartsCommand({ ...place, MaxParts: 1 }));
      return true;
    } catch (error) {
      if (error instanceof NoSuchUpload) return false;
      throw error;
    }
  }

  async #abort(name: string, uploadId: string): Promise<void> {
    try {
      const place = { Bucket: this.bucket, Key: this.keyOf(name), UploadId: uploadId };
      await this.#client.send(new AbortMultipartUploadCommand(place));
    } catch (error) {
      if (!(error instanceof NoSuchUpload)) throw error;
    }
  }
}

function checkpointKey(name: string): string {
  return `${manifestPrefix}${name}.checkpoint.json`;
}
