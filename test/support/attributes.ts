import type { TestHdfs, TestStatus } from './hdfs.ts';

/** Everything about a path that a copy may carry over. */
export interface Seen {
  readonly owner: string;
  readonly group: string;
  readonly permission: string;
  readonly replication: number;
  readonly modifiedAtMs: number;
  readonly acl: readonly string[];
  readonly xattrs: Readonly<Record<string, string>>;
}

interface Acl {
  readonly AclStatus: { readonly entries: readonly string[] };
}
interface XAttrs {
  readonly XAttrs: readonly { readonly name: string; readonly value: string }[];
}

/** As the server tells it; a server without ACLs or extended attributes has none. @param listed  where it is known */
export async function seen(hdfs: TestHdfs, path: string, listed?: TestStatus): Promise<Seen> {
  const { owner, group, permission, replication, modificationTime } = listed ?? (await hdfs.status(path));
  const off = (error: unknown): undefined => {
    if (!String(error).includes('has been disabled')) throw error;
    return undefined;
  };
  const acl = await hdfs.json<Acl>('GETACLSTATUS', path).catch(off);
  const xattrs = await hdfs.json<XAttrs>('GETXATTRS', path, { encoding: 'hex' }).catch(off);
  return {
    owner,
    group,
    permission,
    replication,
    modifiedAtMs: modificationTime,
    acl: [...(acl?.AclStatus.entries ?? [])].sort(),
    xattrs: Object.fromEntries((xattrs?.XAttrs ?? []).map(({ name, value }) => [name, value])),
  };
}

export async function setAcl(hdfs: TestHdfs, path: string, aclspec: string): Promise<void> {
  await hdfs.call('PUT', 'SETACL', path, { aclspec });
}

export async function chmod(hdfs: TestHdfs, path: string, permission: string): Promise<void> {
  await hdfs.call('PUT', 'SETPERMISSION', path, { permission });
}

export async function chown(hdfs: TestHdfs, path: string, owner: string, group: string): Promise<void> {
  await hdfs.call('PUT', 'SETOWNER', path, { owner, group });
}

export async function setXattr(hdfs: TestHdfs, path: string, name: string, value: string): Promise<void> {
  await hdfs.call('PUT', 'SETXATTR', path, { 'xattr.name': name, 'xattr.value': value, flag: 'CREATE,REPLACE' });
}

/** Whether a user may read a file. */
export async function mayRead(hdfs: TestHdfs, path: string): Promise<boolean> {
  return hdfs.get(path).then(
    () => true,
    (error: unknown) => {
      if (!String(error).includes('Permission denied')) throw error;
      return false;
    },
  );
}
