import type { FileStatus } from '../../shared/storage/storage.ts';

/** An entry of a listing, a file unless told otherwise. */
export function status(changes: Partial<FileStatus> = {}): FileStatus {
  return {
    name: 'name',
    kind: 'file',
    lengthBytes: 0,
    modifiedAtMs: 1_700_000_000_000,
    accessedAtMs: 0,
    blockBytes: 1024,
    replication: 1,
    owner: 'root',
    group: 'supergroup',
    permission: '644',
    hasAcl: false,
    encrypted: false,
    stripe: undefined,
    fileId: 16_390,
    ...changes,
  };
}
