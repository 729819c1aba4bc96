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
import { expect, it } from 'vitest';
import { S3Manifests } from '../../../../shared/aws/s3-manifest.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import { allOf, errorOf } from '../../../support/files.ts';

/** As much of S3 as a manifest needs. */
class Bucket {
  readonly #objects = new Map<string, Buffer>();
  readonly #uploads = new Map<string, Buffer[]>();
  /** Told of each deletion of objects; what it throws is the answer. */
  onDelete: () => void = () => undefined;

  readonly client = {
    send: (command: object) => Promise.resolve().then(() => this.#answer(command)),
  } as unknown as S3Client;

  #answer(command: object): object {
    if (command instanceof CreateMultipartUploadCommand) {
      const UploadId = `upload ${this.#uploads.size}`;
      this.#uploads.set(UploadId, []);
      return { UploadId };
    }
    if (command instanceof UploadPartCommand) {
      this.#parts(command.input.UploadId).push(command.input.Body as Buffer);
      return { ETag: 'tag' };
    }
    if (command instanceof ListPartsCommand) return { Parts: this.#parts(command.input.UploadId) };
    if (command instanceof CompleteMultipartUploadCommand) {
      this.#objects.set(String(command.input.Key), Buffer.concat(this.#parts(command.input.UploadId)));
      this.#uploads.delete(String(command.input.UploadId));
      return {};
    }
    if (command instanceof AbortMultipartUploadCommand) {
      this.#parts(command.input.UploadId);
      return { aborted: this.#uploads.delete(String(command.input.UploadId)) };
    }
    if (command instanceof PutObjectCommand) {
      return this.#objects.set(String(command.input.Key), Buffer.from(command.input.Body as string));
    }
    if (command instanceof GetObjectCommand) {
      const found = this.#objects.get(String(command.input.Key));
      if (!found) throw new NoSuchKey({ message: 'none', $metadata: {} });
      return { Body: { transformToByteArray: () => found, transformToString: () => found.toString() } };
    }
    if (!(command instanceof DeleteObjectsCommand)) throw new Error(`unknown: ${command.constructor.name}`);
    this.onDelete();
    for (const { Key } of command.input.Delete?.Objects ?? []) this.#objects.delete(String(Key));
    return {};
  }

  #parts(upload: string | undefined): Buffer[] {
    const parts = this.#uploads.get(String(upload));
    if (!parts) throw new NoSuchUpload({ message: 'none', $metadata: {} });
    return parts;
  }
}

const unit: FileUnit = {
  kind: 'file',
  root: 0,
  path: 'f',
  lengthBytes: 1,
  modifiedAtMs: 1,
  blockBytes: 1,
  decision: 'copy',
};

it('goes on with what was suspended', async () => {
  const manifests = new S3Manifests(new Bucket().client, 'bucket');
  const writer = await manifests.create('one');
  await writer.append({ batch: 0, units: [unit] });
  await writer.suspend({ next: 1 });
  const resumed = await manifests.resume('one');
  expect(resumed?.cursor).toEqual({ next: 1 });
  await resumed?.writer.append({ batch: 1, units: [unit] });
  await resumed?.writer.close();
  expect((await allOf(manifests.read('one'))).map(({ batch }) => batch)).toEqual([0, 1]);
  expect(await manifests.resume('one')).toBeUndefined();
});

it('is begun anew when its writer was killed between closing it and forgetting where it stood', async () => {
  const bucket = new Bucket();
  const manifests = new S3Manifests(bucket.client, 'bucket');
  const writer = await manifests.create('one');
  await writer.append({ batch: 0, units: [unit] });
  await writer.suspend({ next: 1 });
  bucket.onDelete = () => {
    throw new Error('killed');
  };
  const killed = await manifests.resume('one');
  expect(await errorOf(killed?.writer.close() ?? Promise.resolve())).toMatchObject({ message: 'killed' });
  bucket.onDelete = () => undefined;
  expect(await manifests.resume('one')).toBeUndefined();
  const anew = await manifests.create('one');
  await anew.append({ batch: 5, units: [unit] });
  await anew.close();
  expect((await allOf(manifests.read('one'))).map(({ batch }) => batch)).toEqual([5]);
});
