import { CopyObjectCommand, DeleteObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { S3Lists } from '../../../../shared/aws/s3-lists.ts';

it('a list is kept without the tags that somebody gave it, and forgotten', async () => {
  const sent: object[] = [];
  const client = {
    send: (command: { input: object }) => {
      if (!(command instanceof HeadObjectCommand)) sent.push(command);
      return Promise.resolve({ ContentLength: 1 });
    },
  } as unknown as S3Client;
  const lists = new S3Lists(client, 'bucket');
  await lists.keep('job', 's3://bucket/lists/é');
  await lists.remove('job');
  const [copy, removal] = sent;
  const kept = { Bucket: 'bucket', Key: 'manifests/job.list' };
  expect(copy).toBeInstanceOf(CopyObjectCommand);
  expect(copy).toHaveProperty('input', {
    ...kept,
    CopySource: 'bucket/lists%2F%C3%A9',
    TaggingDirective: 'REPLACE',
  });
  expect(removal).toBeInstanceOf(DeleteObjectCommand);
  expect(removal).toHaveProperty('input', kept);
});
