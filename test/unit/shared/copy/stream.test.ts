import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stream } from '../../../../shared/copy/stream.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { TransportError } from '../../../../shared/errors.ts';
import type { FileUnit } from '../../../../shared/job/unit.ts';
import type { StoredChecksums } from '../../../../shared/storage/capabilities.ts';
import { usualLayout } from '../../../../shared/storage/checksum.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import type { Storage } from '../../../../shared/storage/storage.ts';
import { errorOf, never } from '../../../support/files.ts';

const disk = new LocalDisk(65_536);
const broken = new TransportError('the datanode is gone', { operation: 'CREATE', path: '/to', host: 'there:1' }, {});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-stream-'));
  writeFileSync(join(directory, 'from'), 'hello');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function copied(source: Storage, destination: Storage) {
  const unit: FileUnit = {
    kind: 'file',
    decision: 'copy',
    root: 0,
    path: 'from',
    lengthBytes: 5,
    modifiedAtMs: 1,
    blockBytes: 1024,
  };
  const creation = { blockBytes: undefined, replication: undefined, permission: undefined };
  const [sourcePath, writtenPath] = [join(directory, 'from'), join(directory, 'to')];
  const how = { level: 'checksum', creation, overwrite: false, direct: false, onBytes: () => undefined } as const;
  return stream({ source, sourcePath, destination, writtenPath, unit, ...how }, never);
}

describe('a file whose destination fails', () => {
  it('is not read any more, and its source is not told of a failure that is none of its own', async () => {
    let told: unknown;
    const source = decorated(disk, {
      read: (_path, _range, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            told = signal.reason;
            reject(signal.reason as Error);
          });
        }),
    });
    const destination = decorated(disk, { write: () => Promise.reject(broken) });
    expect(await errorOf(copied(source, destination))).toBe(broken);
    expect(told).toMatchObject({ name: 'AbortError' });
  });

  it('has no way to its checksum opened when its body comes to its end afterwards', async () => {
    const near = { host: 'here:1' };
    const ended = Promise.withResolvers<undefined>();
    let opened = 0;
    async function* body() {
      yield Buffer.from('hello');
      await ended.promise;
    }
    const checksums = {
      prepare: () => {
        opened += 1;
        return { [Symbol.dispose]: () => undefined };
      },
      expectedLayouts: () => Promise.resolve([usualLayout]),
    } as Partial<StoredChecksums> as StoredChecksums;
    const source = decorated(disk, {
      read: () => Promise.resolve({ body: body(), cancel: () => undefined, near }),
      checksums,
    });
    let rest: Promise<IteratorResult<Uint8Array>> | undefined;
    const destination = decorated(disk, {
      async write(_path, bytes) {
        const pieces = bytes[Symbol.asyncIterator]();
        await pieces.next();
        rest = pieces.next();
        throw broken;
      },
    });
    expect(await errorOf(copied(source, destination))).toBe(broken);
    ended.resolve(undefined);
    expect(await rest).toMatchObject({ done: true });
    await sleep(1);
    expect(opened).toBe(0);
  });
});
