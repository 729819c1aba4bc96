import type { Stripe } from '../storage/checksum.ts';
import type { FileStatus } from '../storage/storage.ts';
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
  ecBit?: boolean;
  ecPolicyObj?: { cellSize: number; numDataUnits: number };
  /** The policy's name; some servers send it alone. */
  ecPolicy?: string;
  /** Number of the storage policy that holds there; 0: none is set. */
  storagePolicy?: number;
  snapshotEnabled?: boolean;
}

/** An entry of a listing. A name that cannot be used makes it one that can neither be entered nor copied. */
export function listedStatusOf(json: JsonStatus): FileStatus {
  const status = statusOf(json, json.pathSuffix);
  const refusal = refusalOfListedName(status.name);
  return refusal === undefined ? status : { ...status, kind: 'other', lengthBytes: 0, refusal };
}

export function statusOf(json: JsonStatus, name: string): FileStatus {
  const stripe = stripeOf(json);
  const unknown = json.ecBit === true && !stripe;
  return {
    name,
    kind: json.type === 'FILE' ? 'file' : json.type === 'DIRECTORY' ? 'directory' : 'other',
    lengthBytes: json.length,
    modifiedAtMs: json.modificationTime,
    accessedAtMs: json.accessTime,
    blockBytes: json.blockSize,
    // HDFS says 1 of an erasure-coded file.
    replication: unknown ? 0 : json.replication,
    owner: json.owner,
    group: json.group,
    permission: modeOf(json.permission),
    hasAcl: json.aclBit === true,
    encrypted: json.encBit === true || unknown,
    stripe,
    ecPolicy: json.ecBit === true ? json.ecPolicy : 'REPLICATION',
    ...storagePolicyOf(json),
    fileId: json.fileId,
    ...(json.snapshotEnabled === true ? { isSnapshottable: true } : {}),
  };
}

/** Storage policies by number: there are no others. @see Hadoop HdfsConstants.StoragePolicy, BlockStoragePolicySuite.createDefaultSuite */
const storagePolicies: ReadonlyMap<number, string> = new Map([
  [1, 'PROVIDED'],
  [2, 'COLD'],
  [5, 'WARM'],
  [7, 'HOT'],
  [10, 'ONE_SSD'],
  [12, 'ALL_SSD'],
  [14, 'ALL_NVDIMM'],
  [15, 'LAZY_PERSIST'],
]);

/** Only of directories: 50 million files have no use for it. */
function storagePolicyOf({ type, storagePolicy = 0 }: JsonStatus): Pick<FileStatus, 'storagePolicy'> {
  const name = type === 'DIRECTORY' ? storagePolicies.get(storagePolicy) : undefined;
  return name === undefined ? {} : { storagePolicy: name };
}

/** Permission and sticky bit: all that HDFS takes. Other servers pad with zeros, or send the type of the file as well. */
function modeOf(permission: string): string {
  const mode = Number.parseInt(permission, 8);
  return Number.isNaN(mode) ? permission : (mode & 0o1777).toString(8);
}

/**
 * How an erasure-coded file is laid out: as the server says, or as its policy's name tells (`RS-6-3-1024k`: 6 data units, 3 parity
 * units, cells of 1024 KiB). Undefined also where a server says no more than that it is erasure-coded.
 * @see Hadoop ErasureCodingPolicy.composePolicyName
 */
function stripeOf({ ecPolicyObj, ecPolicy = '' }: JsonStatus): Stripe | undefined {
  if (ecPolicyObj) return { cellBytes: ecPolicyObj.cellSize, dataUnits: ecPolicyObj.numDataUnits };
  const [, dataUnits, cellKib] = /^[A-Z][\w-]*?-(\d+)-\d+-(\d+)k$/i.exec(ecPolicy) ?? [];
  if (dataUnits === undefined || cellKib === undefined) return undefined;
  return { cellBytes: Number(cellKib) * 1024, dataUnits: Number(dataUnits) };
}
