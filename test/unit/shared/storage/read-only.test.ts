import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { decoratorsOf } from '../../../../shared/aws/endpoints.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { readOnly } from '../../../../shared/storage/read-only.ts';
import { allBytes, type Storage } from '../../../../shared/storage/storage.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { never } from '../../../support/files.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-read-only-'));
  writeFileSync(join(top, 'file'), 'file');
});
afterEach(() => rmSync(top, { recursive: true }));

const disk = new LocalDisk(65_536);
const looked = readOnly(disk);

const options = {
  lengthBytes: 0,
  permission: undefined,
  overwrite: false,
  blockBytes: undefined,
  replication: undefined,
};
async function* nothing(): AsyncGenerator<Uint8Array> {}

const writes: [string, (storage: Storage) => unknown][] = [
  ['write', (storage) => storage.write(join(top, 'x'), nothing(), options, never)],
  ['rename', (storage) => storage.rename(join(top, 'file'), join(top, 'x'), false, never)],
  ['makeDirectory', (storage) => storage.makeDirectory(join(top, 'x'), undefined, never)],
  ['delete', (storage) => storage.delete(join(top, 'file'), never)],
  ['setPermission', (storage) => storage.posix?.setPermission(join(top, 'file'), '600', never)],
  ['setTimes', (storage) => storage.posix?.setTimes(join(top, 'file'), 0, 0, never)],
];

describe('a storage that is only looked at', () => {
  it.each(writes)('refuses %s, which is sent to nobody', (name, write) => {
    expect(() => write(looked)).toThrow(`${name}: this storage is only to be looked at`);
    expect(readdirSync(top)).toEqual(['file']);
  });

  it('lists, tells and reads', async () => {
    const pages = [];
    for await (const page of looked.list(top, never)) pages.push(...page);
    expect(pages.map(({ name }) => name)).toEqual(['file']);
    expect(await looked.stat(join(top, 'file'), never)).toMatchObject({ lengthBytes: 4 });
    const { body } = await looked.read(join(top, 'file'), allBytes(4), never);
    const read = [];
    for await (const piece of body) read.push(...piece);
    expect(Buffer.from(read).toString()).toBe('file');
    expect(looked.order).toBe(disk.order);
  });
});

test('tells all that a verification holds against the other side', () => {
  const answer = () => Promise.resolve(new Map());
  const storage = readOnly(decorated(disk, { hadoop: { acl: answer, xattrs: answer, quotaUsage: answer } } as object));
  for (const asked of ['acl', 'xattrs', 'quotaUsage'] as const)
    expect(storage.hadoop?.[asked]('/', never)).toBeInstanceOf(Promise);
});

test('refuses what nobody has said to change nothing', () => {
  const setQuota = () => Promise.resolve();
  const storage = readOnly(
    decorated(disk, { hadoop: { setQuota, xattrs: () => Promise.resolve(new Map()) } } as object),
  );
  expect(() => (storage as unknown as { hadoop: { setQuota(): void } }).hadoop.setQuota()).toThrow('setQuota');
  expect(storage.hadoop?.xattrs('/', never)).toBeInstanceOf(Promise);
});

test.each([
  ['that verifies', { verify: {} }, true],
  ['that is a dry run', { dryRun: true }, true],
  ['that copies', {}, false],
])('is what a job in AWS gets %s', (_what, more, isOnly) => {
  const spec = parseJobSpec({ source: 'a:/x', destination: 'b:/x', ...more });
  const storage = decoratorsOf(spec).reduce((inner: Storage, decorate) => decorate(inner), disk);
  const deleted = () => storage.delete(join(top, 'none'), never);
  if (isOnly) expect(deleted).toThrow('only to be looked at');
  else expect(deleted).not.toThrow();
});
