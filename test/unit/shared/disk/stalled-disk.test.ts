import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { inTime } from '../../../../shared/disk/system-call.ts';
import { errorOf, get, never, put } from '../../../support/files.ts';

/** A disk that does nothing any more in the middle of a file, as that of a server that is gone. */

const hung = vi.hoisted(() => ({ call: '', after: 0 }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>();
  const open = async (...asked: Parameters<typeof real.open>) => {
    const handle = await real.open(...asked);
    let times = 0;
    return new Proxy(handle, {
      get(of, name) {
        const member = Reflect.get(of, name, of) as unknown;
        if (typeof member !== 'function') return member;
        if (name === hung.call && times++ >= hung.after) return () => new Promise(() => undefined);
        return member.bind(of) as unknown;
      },
    });
  };
  return { ...real, open };
});

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-stalled-'));
afterAll(() => rmSync(top, { recursive: true }));
const file = join(top, 'file');
const disk = new LocalDisk(1000, { stallMs: 100, leastRate: 0 });

beforeEach(() => {
  writeFileSync(file, Buffer.alloc(5000, 7));
  hung.call = '';
  hung.after = 0;
});

describe('a disk that stalls', () => {
  it('ends a read, and says which disk to look at', async () => {
    Object.assign(hung, { call: 'read', after: 2 });
    const error = (await errorOf(get(disk, file, 5000))) as Error;
    expect(error).toMatchObject({
      name: 'TransportError',
      disposition: 'retry',
      where: { operation: 'READ', path: file },
    });
    expect(error.message).toContain(
      'the disk did nothing for 0.1 s (check it, or the server of a network file system)',
    );
  });

  it('ends a read although its file cannot be closed', async () => {
    Object.assign(hung, { call: 'close', after: 0 });
    expect((await get(disk, file, 5000)).length).toBe(5000);
  });

  it('ends a write', async () => {
    Object.assign(hung, { call: 'writeFile', after: 0 });
    const error = await errorOf(put(disk, join(top, 'new'), 'content'));
    expect(error).toMatchObject({ name: 'TransportError', where: { operation: 'WRITE' } });
  });

  it('is waited for without end where that is asked for', async () => {
    const patient = new LocalDisk(1000, { stallMs: 0, leastRate: 0 });
    await put(patient, join(top, 'patient'), 'content');
    expect(readFileSync(join(top, 'patient'), 'utf8')).toBe('content');
    const where = { operation: 'READ', path: '/x' };
    expect(await inTime(where, () => new Promise((resolve) => setTimeout(resolve, 50, 'late')), 0)).toBe('late');
  });

  it('is not held to what its reader takes', async () => {
    const { body } = await disk.read(file, { offset: 0, lengthBytes: 5000, fileBytes: 5000 }, never);
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(bytes).toBe(5000);
  });
});
