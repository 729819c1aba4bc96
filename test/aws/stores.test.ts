import { inject } from 'vitest';
import { DynamoJobStore } from '../../shared/aws/dynamo-job-store.ts';
import { S3Manifests } from '../../shared/aws/s3-manifest.ts';
import { jobStoreContract } from '../support/job-store-contract.ts';
import { manifestStoreContract } from '../support/manifest-store-contract.ts';
import { clientsOf, newBucket, newTable } from './support.ts';

/** The stores of a deployment against the suites that the embedded ones pass. */

const clients = clientsOf(inject('aws'));

jobStoreContract('DynamoJobStore', async () => {
  const table = await newTable(clients);
  return {
    connect: () => new DynamoJobStore(clients.documents, table.name, { retentionDays: 7 }),
    [Symbol.asyncDispose]: () => table[Symbol.asyncDispose](),
  };
});

manifestStoreContract('S3Manifests', async () => ({
  store: new S3Manifests(clients.s3, await newBucket(clients)),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));
