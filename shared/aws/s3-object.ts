import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** Of an object in one request. */
const READ_BYTES = 8 * 1024 * 1024;

/** An object from an offset on, one range after the other, each a request of its own: S3 cuts a connection that a slow reader leaves idle. */
export async function* objectChunks(
  client: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  offsetBytes = 0,
): AsyncGenerator<Uint8Array> {
  for (let begin = offsetBytes; ; begin += READ_BYTES) {
    const Range = `bytes=${begin}-${begin + READ_BYTES - 1}`;
    let chunk: Uint8Array;
    try {
      const { Body } = await client.send(new GetObjectCommand({ ...object, Range }));
      chunk = (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      // The range begins at the end of the object.
      if (error instanceof Error && error.name === 'InvalidRange') return;
      throw error;
    }
    yield chunk;
    if (chunk.length < READ_BYTES) return;
  }
}
