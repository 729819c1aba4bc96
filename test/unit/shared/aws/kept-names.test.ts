import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { KeptNames } from '../../../../shared/aws/kept-names.ts';
import { NamesOnDisk } from '../../../../shared/machine/name-set.ts';

/** A client whose bucket is a map: what it sends and reads is what S3 would see. */
function s3(objects: Map<string, string>): S3Client {
  return new S3Client({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: {
      handle: ({ method, path, body }: { method: string; path: string; body?: string }) => {
        if (method === 'PUT') objects.set(path, String(body));
        const found = method === 'PUT' ? '' : objects.get(path);
        const response = {
          statusCode: found === undefined ? 404 : 200,
          headers: {},
          body: new Blob([found ?? '<Error><Code>NoSuchKey</Code></Error>']).stream(),
        };
        return Promise.resolve({ response });
      },
    },
  });
}

const named = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `name \u2028\n${from + i}`);

/** Adds names as an invocation would that took over from another one, and keeps them. */
async function invocation(store: KeptNames, kept: number, added: readonly string[]): Promise<boolean[]> {
  using names = new NamesOnDisk();
  await store.refill('job', names, kept);
  const isNew = added.map((name) => names.add(name));
  await store.keep('job', names, kept);
  return isNew;
}

it('gives the next invocation every name that was taken before', async () => {
  const objects = new Map<string, string>();
  const store = new KeptNames(s3(objects), 'bucket', 'names');
  await invocation(store, 0, named(0, 55_000));
  const isNew = await invocation(store, 55_000, [...named(54_998, 55_003), ...named(0, 2), 'last']);
  expect(isNew).toEqual([false, false, true, true, true, false, false, true]);
  using names = new NamesOnDisk();
  await store.refill('job', names, 55_004);
  expect([...names.after(0)]).toEqual([...named(0, 55_003), 'last']);
  expect(objects.size).toBe(3);
});

it('gives only what was taken when the planner said how far it came', async () => {
  const store = new KeptNames(s3(new Map()), 'bucket', 'names');
  await invocation(store, 0, named(0, 10));
  // Killed before its cursor was kept; the next one comes to other names, and to fewer.
  await invocation(store, 10, named(500, 600));
  await invocation(store, 10, named(20, 25));
  using names = new NamesOnDisk();
  await store.refill('job', names, 15);
  expect([...names.after(0)]).toEqual([...named(0, 10), ...named(20, 25)]);
});

it('asks for nothing where no names are taken', async () => {
  const objects = new Map<string, string>();
  await invocation(new KeptNames(s3(objects), 'bucket', 'names'), 0, []);
  expect([...objects]).toEqual([]);
});
