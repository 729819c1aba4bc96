import type { FileStatus } from './filesystem.ts';
import { refusalOfListedName } from './names.ts';

/** FileStatus as WebHDFS sends it. @see Hadoop JsonUtil.toJsonString(HdfsFileStatus) */
export interface JsonStatus {
  pathSuffix: string;
  type: 'FILE' | 'DIRECTORY' | 'SYMLINK';
  length: number;
  modificationTime: number;
  accessTime: number;
  blockSize: number;
  replication: number;
  owner: string;
  group: string;
  permission: string;
  fileId?: number;
  aclBit?: boolean;
  encBit?: boolean;
  ecPolicyObj?: { cellSize: number; numDataUnits: number };
}

/** An entry of a listing. A name that cannot be used makes it one that can neither be entered nor copied. */
export function listedStatusOf(json: JsonStatus): FileStatus {
  const status = statusOf(json, json.pathSuffix);
  const refusal = refusalOfListedName(status.name);
  return refusal === undefined ? status : { ...status, kind: 'other', lengthBytes: 0, refusal };
}

export function statusOf(json: JsonStatus, name: string): FileStatus {
  return {
    name,
    kind: json.type === 'FILE' ? 'file' : json.type === 'DIRECTORY' ? 'directory' : 'other',
    lengthBytes: json.length,
    modifiedAtMs: json.modificationTime,
    accessedAtMs: json.accessTime,
    blockBytes: json.blockSize,
    replication: json.replication,
    owner: json.owner,
    group: json.group,
    permission: json.permission,
    hasAcl: json.aclBit === true,
    encrypted: json.encBit === true,
    stripe: json.ecPolicyObj && { cellBytes: json.ecPolicyObj.cellSize, dataUnits: json.ecPolicyObj.numDataUnits },
    fileId: json.fileId,
  };
}
