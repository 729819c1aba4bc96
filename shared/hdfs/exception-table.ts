import type { StorageCode } from '../storage/errors.ts';

/** How one exception is recognised: by its class, and where the class says too little by the beginning of its message. */
interface Row {
  readonly code: StorageCode;
  /** Short Java class names; empty: any class that says nothing by itself. */
  readonly exceptions: readonly string[];
  readonly message?: RegExp;
  /** A better remedy than that of the code. */
  readonly remedy?: string;
}

/** Classes that mean one thing, whatever their message quotes: paths may be called anything. */
const classes: readonly Row[] = [
  // What Java says of a block's file that a datanode may not open beside so many others.
  row('busy', 'FileNotFoundException', { message: /^\/[^:]* \(Too many open files(?: in system)?\)$/ }),
  row('busy', 'SocketException IOException', { message: /^Too many open files/ }),
  row('not-found', 'FileNotFoundException PathNotFoundException NoSuchFileException'),
  row('exists', 'FileAlreadyExistsException', {
    message: /already exists as a directory/,
    remedy: 'remove the directory, or name another destination',
  }),
  row('exists', 'FileAlreadyExistsException PathExistsException'),
  // What users other than the superuser are told of a path that leads through a file.
  row('not-a-directory', 'AccessControlException', { message: /is not a directory\)?$/ }),
  row('denied', 'AccessControlException SnapshotAccessControlException TraverseAccessControlException'),
  row('denied', 'AuthorizationException', {
    message: /on key with ACL name/,
    remedy: "grant the copying user the key's decryption in the ACLs of the KMS (kms-acls.xml)",
  }),
  row('denied', 'AuthorizationException PathAccessDeniedException PathPermissionException AccessDeniedException'),
  row('not-a-directory', 'ParentNotDirectoryException PathIsNotDirectoryException'),
  row('standby', 'StandbyException ObserverRetryOnActiveException'),
  // Exceptions of a router that has no namenode, or does not know yet which one.
  row('standby', 'NoNamenodesAvailableException RouterSafeModeException ActiveNotFoundException'),
  row('standby', 'ConnectionNullException SubClusterTimeoutException StateStoreUnavailableException'),
  row('safe-mode', 'SafeModeException'),
  row('standby', 'RetriableException', { message: /\bStandbyException\b/ }),
  row('safe-mode', 'RetriableException', { message: /\bSafeModeException\b|Name node is in safe mode/ }),
  row('busy', 'RetriableException CallQueueOverflowException AsyncCallLimitExceededException'),
  row('token', 'InvalidToken'),
  row('unauthenticated', 'AuthenticationException SignerException'),
  row('leased', 'AlreadyBeingCreatedException RecoveryInProgressException'),
  row('open', 'CannotObtainBlockLengthException'),
  row('no-block', 'BlockMissingException'),
  row('damaged', 'ReplicaNotFoundException ChecksumException DiskFileCorruptException'),
  row('damaged', 'CorruptMetaHeaderException UnexpectedReplicaStateException InvalidChecksumSizeException'),
  row('quota', 'NSQuotaExceededException', {
    remedy: 'raise the name quota; --direct replaces existing files in place, without another name',
  }),
  row('quota', 'DSQuotaExceededException', {
    remedy: 'raise the space quota or free space; --direct replaces existing files in place',
  }),
  row('quota', 'QuotaByStorageTypeExceededException QuotaExceededException ClusterStorageCapacityExceededException'),
  row('limit', 'MaxDirectoryItemsExceededException', { remedy: directoryItems() }),
  row('limit', 'FSLimitException'),
  row('invalid', 'PathComponentTooLongException', { remedy: componentLength() }),
  row('unsupported', 'AclException', {
    message: /^The ACL operation has been rejected/,
    remedy: 'set dfs.namenode.acls.enabled on that cluster, or leave acl out of --attributes',
  }),
  // HttpFS answers so to an operation that it does not have.
  row('unsupported', 'UnsupportedOperationException QueryParamException UnsupportedActionException'),
  row('unsupported', 'RpcNoSuchMethodException RpcNoSuchProtocolException UnsupportedFileSystemException'),
  row('unsupported', 'UnknownCipherSuiteException UnknownCryptoProtocolVersionException UnsupportedCodecException'),
  row('invalid', 'IllegalArgumentException', {
    message: /parameter "aclspec"|Parameter \[aclspec\]/,
    remedy: 'widen dfs.webhdfs.acl.provider.permission.pattern on that cluster so that it takes the names',
  }),
  // The server cannot resolve the name of another one just now.
  row('io', 'IllegalArgumentException', { message: /^java\.net\.UnknownHostException: / }),
  row('limit', 'HadoopIllegalArgumentException', {
    message: /^The XAttr is too big/,
    remedy: 'raise dfs.namenode.fs-limits.max-xattr-size, or leave xattr out of --attributes',
  }),
  row('invalid', 'IllegalArgumentException HadoopIllegalArgumentException NumberFormatException'),
  row('invalid', 'InvalidPathException IllegalReservedPathException InvalidPathHandleException'),
  row('invalid', 'UnresolvedPathException UnresolvedLinkException', {
    remedy: 'name what the symbolic link points to',
  }),
  row('invalid', 'NotInMountpointException', { remedy: 'choose a path below one of its mount points' }),
  row('invalid', 'PathIsNotEmptyDirectoryException PathIsDirectoryException PathOperationException'),
  row('exists', 'SnapshotException', {
    message: /^Failed to add snapshot: there is already a snapshot with the same name /,
  }),
  row('not-found', 'SnapshotException', {
    message: /^Cannot find the snapshot of directory |^Cannot delete snapshot .*: the snapshot does not exist\.$/s,
  }),
  row('unsupported', 'SnapshotException', {
    // Of `/`, which is called snapshottable always, a quota tells.
    message:
      /^Directory is not a snapshottable directory: | is neither snapshottable nor under a snapshot root!$| quota is 0$/s,
    remedy: 'let a superuser run hdfs dfsadmin -allowSnapshot PATH',
  }),
  row('limit', 'SnapshotException', {
    message:
      /^Failed to (?:add|create) snapshot: there are already \d+ snapshot|^Failed to create the snapshot\. The FileSystem has run out/,
    remedy: 'drop snapshots that nobody needs (hdfs dfs -deleteSnapshot PATH NAME)',
  }),
  row('invalid', 'SnapshotException AclException XAttrNotFoundException NoECPolicySetException'),
  row('invalid', 'InvalidRequestException RollingUpgradeException DirectoryListingStartAfterNotFoundException'),
  row('denied', 'DisallowedDatanodeException', { remedy: 'let the namenode admit its datanode (dfs.hosts)' }),
  row('damaged', 'KeyNotFoundException', { remedy: 'restore the key of the encryption zone in the KMS' }),
  row('io', 'ConnectException ConnectTimeoutException SocketException SocketTimeoutException NoRouteToHostException'),
  row('io', 'UnknownHostException EOFException ClosedChannelException InterruptedIOException ClosedIOException'),
  row('io', 'LeaseExpiredException NotReplicatedYetException RetryStartFileException NotEnoughReplicasException'),
  row('io', 'InvalidBlockTokenException InvalidEncryptionKeyException InvalidMagicNumberException'),
  row('io', 'ReplicaAlreadyExistsException DiskErrorException DiskOutOfSpaceException UnregisteredNodeException'),
  row('io', 'IpcException RpcException RpcClientException RpcServerException UnexpectedServerException'),
  row('io', 'KerberosAuthException FileSystemAccessException MultipleIOException'),
];

/**
 * Messages under a class that says nothing by itself: Hadoop's plain IOExceptions, and what a datanode or HttpFS passes on as
 * RemoteException without the class. They are recognised by how they begin.
 */
const messages: readonly Row[] = [
  text('standby', /^Operation category \w+ is not supported in state /),
  text('standby', /^Failed to obtain user group information: .*\bStandbyException\b/s),
  // A namenode that starts, or becomes active, does not look at tokens yet.
  text('busy', /^Failed to obtain user group information: .*\bRetriableException\b/s),
  text('token', /^Failed to obtain user group information: /),
  text(
    'token',
    /^(?:token \(.*\)|Token for real user: .*|Token ) ?(?:is expired|has expired|can't be found in cache)/is,
  ),
  text('safe-mode', /^(?:Cannot|Zero blocklocations for) .*\bName node is in safe mode\./s),
  text('no-datanode', /^Failed to find datanode|^File .* could only be (?:written|replicated) to \d+/s),
  text('out-of-range', /^Offset=-?\d+ out of the range/),
  text(
    'leased',
    /^Failed to (?:APPEND|TRUNCATE|CREATE)_FILE .* for .* because |^Failed to close file .*\bLease recovery is in progress/s,
  ),
  // A file that somebody writes, and one whose writer died: of that one not even the length can be told.
  text('open', /^Fail to get checksum, since file .* is under construction/s),
  text('open', /^Cannot obtain block length for /),
  text(
    'no-block',
    /^No active nodes contain this block|^Could not obtain block: |^Fail to get block (?:MD5|checksum|CRC)/,
  ),
  // The blocks of the file have chunks of several sizes.
  text('no-checksum', /^Byte-per-checksum not matched/),
  text(
    'quota',
    /^The NameSpace quota .* is exceeded/s,
    'raise the name quota; --direct replaces existing files in place',
  ),
  text('quota', /^The DiskSpace quota .* is exceeded|^Quota by storage type/s),
  text('limit', /^The directory item limit of .* is exceeded/s, directoryItems()),
  text('invalid', /^The maximum path component name limit of .* is exceeded/s, componentLength()),
  text('invalid', /^\w+: Pathname too long\./, 'copy to a shorter path: HDFS takes 8000 characters and 1000 levels'),
  text('invalid', /^Invalid path name/),
  text(
    'limit',
    /^Requested replication factor of \d+ (?:exceeds maximum|is less than the required minimum)/,
    'copy without replication among the --attributes, or change dfs.replication.max or dfs.namenode.replication.min',
  ),
  text(
    'limit',
    /^Specified block size \d+ is less than configured minimum/,
    'copy without blocksize among the --attributes, or lower dfs.namenode.fs-limits.min-block-size',
  ),
  text(
    'limit',
    /^File has reached the limit on maximum number of blocks/,
    'use larger blocks, or raise dfs.namenode.fs-limits.max-blocks-per-file',
  ),
  text(
    'limit',
    /^Cannot add additional XAttr to inode, would exceed limit/,
    'raise dfs.namenode.fs-limits.max-xattrs-per-inode',
  ),
  text(
    'exists',
    /^Source .* and destination .* must both be directories|^rename destination directory is not empty/s,
    'a directory stands at the destination: remove it, or name another destination',
  ),
  text(
    'limit',
    /^The XAttr is too big/,
    'raise dfs.namenode.fs-limits.max-xattr-size, or leave xattr out of --attributes',
  ),
  text(
    'unsupported',
    /^The XAttr operation has been rejected/,
    'set dfs.namenode.xattrs.enabled on that cluster, or leave xattr out of --attributes',
  ),
  text(
    'unsupported',
    /^The ACL operation has been rejected/,
    'set dfs.namenode.acls.enabled on that cluster, or leave acl out of --attributes',
  ),
  text('unsupported', /^Access time for hdfs is not configured/),
  text('invalid', /^Invalid ACL: |^XAttr: .* already exists|^No matching attributes found for remove operation/s),
  text('denied', /^Permission denied|^User \S+ (?:is not a super user|does not belong to)/),
  text('denied', /^User doesn't have permission for xattr/),
  text('damaged', /^Key(?:Version name)? .* (?:not found|does(?: not|n't) exist)/is, 'restore the key in the KMS'),
  // A chunk that stands in a snapshot.
  text('invalid', /^Concat: the source file .* is (?:in snapshot|referred by some other reference in some snapshot)/s),
  text('invalid', /^Unknown cipher suite|^Symlinks not supported/i),
];

/** Classes under which anything may come, told by the message, and what they mean where that is not known either. */
const general: Readonly<Record<string, StorageCode>> = {
  IOException: 'io',
  UncheckedIOException: 'io',
  PathIOException: 'io',
  RemoteException: 'other',
  SecurityException: 'other',
  RuntimeException: 'other',
  ServletException: 'other',
  ServiceException: 'other',
  ServerException: 'other',
  ExecutionException: 'other',
  UndeclaredThrowableException: 'other',
  PrivilegedActionException: 'other',
  Exception: 'other',
};

/** A cause that only the message names: `org.apache.hadoop.ipc.RemoteException(java.io.IOException): …`, `a.b.Cause: …`. */
const nested = /^(?:[\w.$]*RemoteException\()?((?:[a-z]\w*\.)+[A-Z][\w$]*)\)?:\s*(.*)$/s;

/** What a PathIOException puts before its message. @see Hadoop PathIOException.getMessage */
const QUOTED_PATH = /^`[^]*?': /;

export interface Classified {
  readonly code: StorageCode;
  readonly remedy?: string;
}

/**
 * What an exception means: by its class, then by the class of the cause that its message begins with, then by its message. An
 * unknown one is `other`.
 * @param exception  short Java class name
 */
export function classify(exception: string, message: string): Classified {
  const known = classes.find((one) => one.exceptions.includes(exception) && matches(one, message));
  const fallback = general[exception];
  if (known || fallback === undefined) return known ?? { code: 'other' };
  const text = exception === 'PathIOException' ? message.replace(QUOTED_PATH, '') : message;
  const [, cause, rest = ''] = nested.exec(text) ?? [];
  const inner = cause === undefined ? undefined : classify(shortName(cause), rest);
  if (inner && inner.code !== 'other') return inner;
  return messages.find((one) => matches(one, text)) ?? { code: fallback };
}

function matches({ message }: Row, text: string): boolean {
  return message?.test(text) ?? true;
}

/** `org.apache.hadoop.hdfs.protocol.FSLimitException$PathComponentTooLongException` as the wire calls it. */
function shortName(javaClass: string): string {
  return javaClass.split(/[.$]/).at(-1) ?? javaClass;
}

function row(code: StorageCode, exceptions: string, more: Pick<Row, 'message' | 'remedy'> = {}): Row {
  return { code, exceptions: exceptions.split(' '), ...more };
}

function text(code: StorageCode, message: RegExp, remedy?: string): Row {
  return { code, exceptions: [], message, ...(remedy === undefined ? {} : { remedy }) };
}

function directoryItems(): string {
  return 'copy into another directory, or raise dfs.namenode.fs-limits.max-directory-items';
}

function componentLength(): string {
  return 'shorten the name, or raise dfs.namenode.fs-limits.max-component-length';
}
