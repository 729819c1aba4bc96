import { offered } from '../../shared/storage/offered.ts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TestHdfs } from '../support/hdfs.ts';
import { errorOf, never, put } from '../support/files.ts';
import { complete, type OpenStorage, storages } from '../support/storages.ts';

describe.each(storages)('$name: attributes', ({ open, keepsHadoopAttributes }) => {
  let opened: OpenStorage;
  beforeAll(async () => {
    opened = await open('attributes');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const posix = () => offered(opened.fs, 'posix', opened.root);

  it('sets modification and access time', async () => {
    const { fs, root } = opened;
    await put(fs, `${root}/times`, 'x');
    await posix().setTimes(`${root}/times`, 1_234_567_890_123, 1_300_000_000_456, never);
    expect(await fs.stat(`${root}/times`, never)).toMatchObject({
      modifiedAtMs: 1_234_567_890_123,
      accessedAtMs: 1_300_000_000_456,
    });
  });

  it('sets the modification time alone, of directories as well', async () => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/times.d`, undefined, never);
    await posix().setTimes(`${root}/times.d`, 1_234_567_890_123, undefined, never);
    expect(await fs.stat(`${root}/times.d`, never)).toMatchObject({ modifiedAtMs: 1_234_567_890_123 });
  });

  it.each(['0', '640', '777', '1777'])('sets permission %s', async (permission) => {
    const { fs, root } = opened;
    await fs.makeDirectory(`${root}/permission-${permission}`, undefined, never);
    await posix().setPermission(`${root}/permission-${permission}`, permission, never);
    expect(await fs.stat(`${root}/permission-${permission}`, never)).toMatchObject({ permission });
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['setPermission', (path) => posix().setPermission(path, '600', never)],
    ['setTimes', (path) => posix().setTimes(path, 1, 1, never)],
  ])('says not-found when %s finds nothing', async (_name, work) => {
    expect(await errorOf(work(`${opened.root}/missing`))).toMatchObject({ name: 'StorageError', code: 'not-found' });
  });

  it('offers what it keeps, and a caller who needs more is told so', async () => {
    const { fs, root } = opened;
    expect(fs.checksums !== undefined).toBe(keepsHadoopAttributes);
    if (keepsHadoopAttributes) expect(offered(fs, 'hadoop', root)).toBe(fs.hadoop);
    else {
      const asked = Promise.resolve().then(() => offered(fs, 'hadoop', root));
      const refusal = { name: 'StorageError', code: 'unsupported', disposition: 'fail-unit', where: { path: root } };
      expect(await errorOf(asked)).toMatchObject(refusal);
    }
  });
});

describe.each(storages.filter(({ keepsHadoopAttributes }) => keepsHadoopAttributes))(
  '$name: Hadoop attributes',
  ({ open }) => {
    let opened: OpenStorage;
    const hdfs = new TestHdfs(inject('bed').a);
    beforeAll(async () => {
      opened = await open('hadoop-attributes');
    });
    afterAll(() => opened[Symbol.asyncDispose]());

    it('leaves the access time as it is when only the other is set', async () => {
      const { fs, root } = complete(opened);
      await put(fs, `${root}/accessed`, 'x');
      const before = await fs.stat(`${root}/accessed`, never);
      await fs.posix.setTimes(`${root}/accessed`, 1_234_567_890_123, undefined, never);
      expect(before?.accessedAtMs).toBeGreaterThan(0);
      expect((await fs.stat(`${root}/accessed`, never))?.accessedAtMs).toBe(before?.accessedAtMs);
    });

    it('sets owner and group', async () => {
      const { fs, root } = complete(opened);
      await put(fs, `${root}/owned`, 'x');
      await fs.hadoop.setOwner(`${root}/owned`, 'alice', 'staff', never);
      expect(await fs.stat(`${root}/owned`, never)).toMatchObject({ owner: 'alice', group: 'staff' });
    });

    it('writes with the block size and replication that it is told', async () => {
      const { fs, root } = complete(opened);
      await put(fs, `${root}/layout`, 'x', { blockBytes: 2048, replication: 2 });
      expect(await fs.stat(`${root}/layout`, never)).toMatchObject({ blockBytes: 2048, replication: 2 });
    });

    it.each([
      ['a file with a named user', 'file', 'user::rw-,user:bob:r--,group::r--,other::---'],
      ['a file with a mask of its own', 'file', 'user::rwx,user:bob:rwx,group::rwx,mask::r-x,other::--x'],
      ['a file with a named group', 'file', 'user::rw-,group::---,group:staff:rw-,other::---'],
      [
        'a directory with access and default entries',
        'directory',
        'user::rwx,user:bob:r-x,group::r-x,other::---,default:user::rwx,default:user:bob:r-x,default:group::r-x,default:other::---',
      ],
      [
        'a directory with default entries only',
        'directory',
        'user::rwx,group::r-x,other::---,default:user::rwx,default:group::rw-,default:group:staff:rwx,default:mask::rwx,default:other::--x',
      ],
      ['a directory with the sticky bit', 'sticky', 'user::rwx,user:bob:r-x,group::r-x,other::--x'],
    ])('carries the ACL of %s over', async (what, kind, acl) => {
      const { fs, root } = complete(opened);
      const [from, to] = [`${root}/acl of ${what}`, `${root}/acl copied of ${what}`];
      for (const path of [from, to]) {
        await (kind === 'file' ? put(fs, path, 'x') : fs.makeDirectory(path, undefined, never));
        if (kind === 'sticky') await fs.posix.setPermission(path, '1755', never);
      }
      await hdfs.call('PUT', 'SETACL', from, { aclspec: acl });
      expect(await fs.stat(from, never)).toMatchObject({ hasAcl: true });
      const carried = await fs.hadoop.acl(from, never);
      await fs.hadoop.setAcl(to, carried ?? '', never);
      const status = async (path: string) => hdfs.json<unknown>('GETACLSTATUS', path);
      expect(await status(to)).toEqual(await status(from));
      expect((await fs.stat(to, never))?.permission).toBe((await fs.stat(from, never))?.permission);
    });

    it('has no ACL where there are only permission bits', async () => {
      const { fs, root } = complete(opened);
      await put(fs, `${root}/plain`, 'x');
      expect(await fs.hadoop.acl(`${root}/plain`, never)).toBeUndefined();
    });

    it('carries extended attributes over: text, bytes, nothing, and values again', async () => {
      const { fs, root } = complete(opened);
      for (const name of ['from', 'to']) await put(fs, `${root}/xattr ${name}`, 'x');
      const values = {
        'user.text': '0x68656c6c6f',
        'user.bytes': '0x00ff20',
        'user.empty': '0x',
        'trusted.deep': '0x01',
      };
      for (const [name, value] of Object.entries(values)) {
        const parameters = { 'xattr.name': name, 'xattr.value': value, flag: 'CREATE' };
        await hdfs.call('PUT', 'SETXATTR', `${root}/xattr from`, parameters);
      }
      const carried = await fs.hadoop.xattrs(`${root}/xattr from`, never);
      expect(new Map([...carried].sort())).toEqual(new Map(Object.entries(values).sort()));
      for (let twice = 0; twice < 2; twice++) {
        for (const [name, value] of carried) await fs.hadoop.setXattr(`${root}/xattr to`, name, value, never);
      }
      expect(await fs.hadoop.xattrs(`${root}/xattr to`, never)).toEqual(carried);
    });
  },
);
