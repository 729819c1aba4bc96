import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ManifestFile } from '../../shared/machine/manifest-file.ts';
import { manifestStoreContract } from '../support/manifest-store-contract.ts';

async function open() {
  const directory = await mkdtemp(join(tmpdir(), 'hdfs-fanout-manifests-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  return { store: new ManifestFile(join(directory, 'manifests')), directory, [Symbol.asyncDispose]: remove };
}

manifestStoreContract('ManifestFile', open);

it('ManifestFile keeps what it writes from other users, and leaves nothing when it is removed', async () => {
  await using place = await open();
  const files = join(place.directory, 'manifests');
  const writer = await place.store.create('one');
  await writer.close();
  await place.store.create('two');
  expect((await stat(files)).mode & 0o077).toBe(0);
  for (const file of await readdir(files)) expect((await stat(join(files, file))).mode & 0o077).toBe(0);
  await place.store.remove('one');
  await place.store.remove('two');
  expect(await readdir(files)).toEqual([]);
});
