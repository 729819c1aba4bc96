import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FanoutError } from '../../../../shared/errors.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { allOf, errorOf, get, never } from '../../../support/files.ts';

const top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-disk-'));
afterAll(() => rmSync(top, { recursive: true }));
const disk = new LocalDisk(65_536);

async function makePipe(path: string): Promise<void> {
  await once(spawn('bash', ['-c', 'mkfifo "$1"', 'bash', path]), 'exit');
}

async function listed(directory: string) {
  const entries = (await allOf(disk.list(directory, never))).flat();
  return Object.fromEntries(entries.map(({ name, kind, lengthBytes }) => [name, `${kind} ${lengthBytes}`]));
}

/** What is particular to this machine's disk; what it shares with HDFS is in the contract. */
describe('LocalDisk', () => {
  it('follows links to files, and passes over what cannot be copied', async () => {
    const directory = join(top, 'kinds');
    mkdirSync(join(directory, 'real'), { recursive: true });
    writeFileSync(join(directory, 'file'), 'content');
    symlinkSync('file', join(directory, 'link to a file'));
    symlinkSync('.', join(directory, 'link to a directory'));
    symlinkSync('nowhere', join(directory, 'broken link'));
    await makePipe(join(directory, 'pipe'));
    expect(await listed(directory)).toEqual({
      file: 'file 7',
      real: 'directory 0',
      'link to a file': 'file 7',
      'link to a directory': 'other 0',
      'broken link': 'other 0',
      pipe: 'other 0',
    });
    expect(await disk.stat(join(directory, 'pipe'), never)).toMatchObject({ kind: 'other' });
    expect(await disk.stat(join(directory, 'broken link'), never)).toBeUndefined();
  });

  it('lists a name that is not UTF-8 as nothing that can be copied', async () => {
    const directory = join(top, 'bytes');
    mkdirSync(directory);
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])]), 'x');
    expect(await listed(directory)).toEqual({ 'caf\ufffd': 'other 0' });
  });

  it('lists a link that leads to itself as nothing that can be copied', async () => {
    const directory = join(top, 'circles');
    mkdirSync(directory);
    symlinkSync('self', join(directory, 'self'));
    writeFileSync(join(directory, 'file'), 'x');
    expect(await listed(directory)).toEqual({ self: 'other 0', file: 'file 1' });
  });

  it('is locked by what its links stand for, also where the path goes on to what is not there yet', async () => {
    const directory = join(top, 'locked');
    mkdirSync(directory);
    symlinkSync(directory, join(top, 'another name'));
    const locked = async (path: string) => (await disk.lockedPaths(path)).map((one) => one.path);
    const [real = ''] = await locked(join(directory, 'new/er'));
    expect(real.endsWith('/locked/new/er')).toBe(true);
    expect(await locked(join(top, 'another name/new/er'))).toEqual([real]);
    expect(await locked('/no such directory/x')).toEqual(['/no such directory/x']);
  });

  it('says which names it cannot hold', () => {
    expect(disk.names.unwritable('/a/' + 'n'.repeat(255))).toBeUndefined();
    expect(disk.names.unwritable('/a/' + 'é'.repeat(128))).toContain('256 bytes');
    expect(disk.names.unwritable('/a/x\0')).toContain('NUL');
    expect(disk.names.unwritable('/a/\ud800')).toContain('Unicode');
    expect(disk.names.unwritable('/a'.repeat(2048))).toContain('no path of more than 4095 bytes');
  });

  it('deletes an empty directory, and no other', async () => {
    mkdirSync(join(top, 'deleted/inner'), { recursive: true });
    expect(await errorOf(disk.delete(join(top, 'deleted')))).toBeInstanceOf(FanoutError);
    expect(await disk.delete(join(top, 'deleted/inner'))).toBe(true);
    expect(await disk.delete(join(top, 'deleted/inner'))).toBe(false);
  });

  it('does not hang on a pipe that nobody writes', async () => {
    const pipe = join(top, 'pipe');
    await makePipe(pipe);
    expect(await errorOf(get(disk, pipe, 10))).toBeInstanceOf(FanoutError);
  });

  it('leaves bits out of a permission that HDFS does not know', async () => {
    const file = join(top, 'setuid');
    writeFileSync(file, 'x');
    chmodSync(file, 0o6755);
    expect(await disk.stat(file, never)).toMatchObject({ permission: '755' });
  });

  it('rejects when a disk takes only a part of what is written', async () => {
    // A limit on the size of files makes the kernel take the first part of a piece and no more.
    const script = `
      import { LocalDisk } from ${JSON.stringify(import.meta.resolve('../../../../shared/disk/local-disk.ts'))};
      process.on('SIGXFSZ', () => undefined);
      async function* body() { yield Buffer.alloc(60_000); }
      const options = { lengthBytes: 60_000, blockBytes: undefined, replication: undefined, permission: undefined, overwrite: false };
      const writing = new LocalDisk(65_536).write(process.argv[1], body(), options, new AbortController().signal);
      console.log(await writing.then(() => 'written', (error) => error.name));
    `;
    const node = [process.execPath, '--input-type=module', '-e', script, join(top, 'limited')];
    const child = spawn('bash', ['-c', 'ulimit -f 40; exec "$@"', 'bash', ...node], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    await once(child, 'close');
    expect(output.trim()).toBe('StorageError');
  });
});
