import { describe, expect, it } from 'vitest';
import { classify } from '../../../../shared/hdfs/exception-table.ts';
import { meanings, type StorageCode } from '../../../../shared/storage/errors.ts';
import { remoteErrorOf } from '../../../../shared/hdfs/remote-exception.ts';

/** The exceptions of Hadoop's namenode, datanode, router and HttpFS that a copy can meet, by what follows from them. */
const byClass: Partial<Record<StorageCode, string>> = {
  'not-found': 'FileNotFoundException PathNotFoundException',
  exists: 'FileAlreadyExistsException PathExistsException',
  denied:
    'AccessControlException SnapshotAccessControlException TraverseAccessControlException AuthorizationException PathAccessDeniedException PathPermissionException DisallowedDatanodeException',
  'not-a-directory': 'ParentNotDirectoryException PathIsNotDirectoryException',
  standby: 'StandbyException ObserverRetryOnActiveException NoNamenodesAvailableException RouterSafeModeException',
  'safe-mode': 'SafeModeException',
  busy: 'RetriableException CallQueueOverflowException AsyncCallLimitExceededException',
  token: 'InvalidToken',
  unauthenticated: 'AuthenticationException SignerException',
  leased: 'AlreadyBeingCreatedException RecoveryInProgressException',
  open: 'CannotObtainBlockLengthException',
  'no-block': 'BlockMissingException',
  damaged:
    'ReplicaNotFoundException ChecksumException DiskFileCorruptException CorruptMetaHeaderException KeyNotFoundException',
  quota:
    'NSQuotaExceededException DSQuotaExceededException QuotaByStorageTypeExceededException QuotaExceededException ClusterStorageCapacityExceededException',
  limit: 'MaxDirectoryItemsExceededException FSLimitException',
  unsupported:
    'UnsupportedOperationException QueryParamException UnsupportedActionException RpcNoSuchMethodException RpcNoSuchProtocolException UnsupportedFileSystemException UnknownCipherSuiteException UnknownCryptoProtocolVersionException UnsupportedCodecException',
  invalid:
    'PathComponentTooLongException IllegalArgumentException HadoopIllegalArgumentException NumberFormatException InvalidPathException IllegalReservedPathException InvalidPathHandleException UnresolvedPathException UnresolvedLinkException NotInMountpointException PathIsNotEmptyDirectoryException PathIsDirectoryException SnapshotException AclException XAttrNotFoundException NoECPolicySetException InvalidRequestException RollingUpgradeException',
  io: 'IOException ConnectException ConnectTimeoutException SocketException SocketTimeoutException NoRouteToHostException UnknownHostException EOFException ClosedChannelException InterruptedIOException LeaseExpiredException NotReplicatedYetException RetryStartFileException NotEnoughReplicasException InvalidBlockTokenException InvalidEncryptionKeyException DiskErrorException DiskOutOfSpaceException IpcException RpcServerException',
};
const rows = Object.entries(byClass).flatMap(([code, names]) =>
  names.split(' ').map((name): [string, string] => [name, code]),
);

/** What arrives under a class that says nothing: real answers. */
const byMessage: readonly (readonly [exception: string, message: string, code: StorageCode])[] = [
  // Of namenodes that start, become active, or have not heard of a token yet.
  [
    'SecurityException',
    'Failed to obtain user group information: org.apache.hadoop.ipc.RetriableException: Namenode is in startup mode',
    'busy',
  ],
  [
    'SecurityException',
    'Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: StandbyException',
    'standby',
  ],
  [
    'RetriableException',
    "org.apache.hadoop.security.token.SecretManager$InvalidToken: Token can't be found in cache",
    'busy',
  ],
  ['RetriableException', 'org.apache.hadoop.ipc.StandbyException: Operation category READ is not supported', 'standby'],
  [
    'RetriableException',
    'org.apache.hadoop.hdfs.server.namenode.SafeModeException: Zero blocklocations for /x',
    'safe-mode',
  ],
  ['IllegalArgumentException', 'java.net.UnknownHostException: nn1', 'io'],
  // Of snapshots.
  ['SnapshotException', 'Failed to add snapshot: there is already a snapshot with the same name "s".', 'exists'],
  ['SnapshotException', 'Cannot delete snapshot s from path /r: the snapshot does not exist.', 'not-found'],
  ['SnapshotException', 'Cannot find the snapshot of directory /r with name s', 'not-found'],
  ['SnapshotException', 'Directory is not a snapshottable directory: /r', 'unsupported'],
  ['SnapshotException', 'The path /r is neither snapshottable nor under a snapshot root!', 'unsupported'],
  [
    'SnapshotException',
    'Failed to add snapshot: there are already 0 snapshot(s) and the snapshot quota is 0',
    'unsupported',
  ],
  [
    'SnapshotException',
    'Failed to add snapshot: there are already 10 snapshot(s) and the snapshot quota is 10',
    'limit',
  ],
  // Of daemons that have no file descriptor left.
  ['FileNotFoundException', '/data/1/current/finalized/blk_1073741825 (Too many open files)', 'busy'],
  ['SocketException', 'Too many open files', 'busy'],
  ['IOException', 'Too many open files', 'busy'],
  ['RemoteException', 'java.io.IOException: Too many open files', 'busy'],
  ['FileNotFoundException', 'File does not exist: /x (Too many open files)', 'not-found'],
  ['PathIOException', "`/x': Fail to get block MD5 for LocatedBlock{}", 'no-block'],
  ['PathIOException', "`/x': Input/output error", 'io'],
  ['RemoteException', 'The directory item limit of /p is exceeded: limit=5 items=5', 'limit'],
  [
    'RemoteException',
    'The maximum path component name limit of nnn in directory /p is exceeded: limit=60 length=61',
    'invalid',
  ],
  ['IOException', 'mkdirs: Pathname too long.  Limit 8000 characters, 1000 levels.', 'invalid'],
  ['IOException', 'create: Pathname too long.  Limit 8000 characters, 1000 levels.', 'invalid'],
  ['IOException', 'Requested replication factor of 5 exceeds maximum of 2 for /p/g, clientName=127.0.0.1', 'limit'],
  ['RemoteException', 'Requested replication factor of 1 is less than the required minimum of 2 for /p/g', 'limit'],
  [
    'IOException',
    'Specified block size 512 is less than configured minimum value dfs.namenode.fs-limits.min-block-size=1024',
    'limit',
  ],
  [
    'IOException',
    'File has reached the limit on maximum number of blocks (dfs.namenode.fs-limits.max-blocks-per-file): 2 >= 2',
    'limit',
  ],
  ['IOException', 'Cannot add additional XAttr to inode, would exceed limit of 2', 'limit'],
  [
    'HadoopIllegalArgumentException',
    'The XAttr is too big. The maximum combined size of the name and value is 64',
    'limit',
  ],
  ['IOException', 'The XAttr operation has been rejected.  Support for XAttrs has been disabled', 'unsupported'],
  ['AclException', 'The ACL operation has been rejected.  Support for ACLs has been disabled', 'unsupported'],
  ['AclException', 'Invalid ACL: only directories may have a default ACL. Path: /p/f', 'invalid'],
  ['RemoteException', 'No matching attributes found for remove operation', 'invalid'],
  [
    'RemoteException',
    'File /p could only be written to 0 of the 1 minReplication nodes. There are 0 datanode(s) running',
    'no-datanode',
  ],
  ['IOException', 'Fail to get checksum, since file /p/f is under construction.', 'open'],
  ['RemoteException', 'The DiskSpace quota of /e is exceeded: quota = 1000000 B', 'quota'],
  [
    'AuthorizationException',
    'User [alice] is not authorized to perform [DECRYPT_EEK] on key with ACL name [k1]!!',
    'denied',
  ],
  // HttpFS tells nobody the class of what a file that is being written refuses.
  [
    'RemoteException',
    'Failed to APPEND_FILE /p/f for DFSClient_NONMAPREDUCE_1_2 on 10.0.0.1 because this file lease is currently owned by DFSClient_3 on 10.0.0.1',
    'leased',
  ],
  [
    'RemoteException',
    'Failed to TRUNCATE_FILE /p/f for DFSClient_1 on 10.0.0.1 because lease recovery is in progress. Try again later.',
    'leased',
  ],
  ['RemoteException', 'Failed to close file /p/f. Lease recovery is in progress. Try again later.', 'leased'],
  // The cause is named by the message alone.
  [
    'IOException',
    'org.apache.hadoop.ipc.RemoteException(java.io.IOException): Requested replication factor of 5 exceeds maximum of 2',
    'limit',
  ],
  [
    'RemoteException',
    'org.apache.hadoop.hdfs.protocol.FSLimitException$MaxDirectoryItemsExceededException: full',
    'limit',
  ],
  [
    'RuntimeException',
    'java.io.IOException: org.apache.hadoop.hdfs.protocol.NSQuotaExceededException: used up',
    'quota',
  ],
  [
    'RetriableException',
    'org.apache.hadoop.hdfs.server.namenode.SafeModeException: Cannot create directory /p',
    'safe-mode',
  ],
  ['SecurityException', 'Failed to obtain user group information: java.io.EOFException', 'token'],
  ['IOException', 'com.example.NobodyKnows: something', 'io'],
  ['RemoteException', 'something', 'other'],
];

describe('the table of exceptions', () => {
  it.each(rows)('%s means %s', (exception, code) => {
    expect(classify(exception, 'what it says').code).toBe(code);
  });

  it.each(byMessage)('%s "%s" means %s', (exception, message, code) => {
    expect(classify(exception, message).code).toBe(code);
  });

  it('takes no part of a path for a cause', () => {
    const names = [
      '/a/java.io.FileNotFoundException: x',
      '/Name node is in safe mode.',
      '/quota of x is exceeded',
      '/Permission denied',
    ];
    for (const name of names) {
      const told: readonly (readonly [string, string, StorageCode])[] = [
        ['IOException', `Could not do it for ${name}`, 'io'],
        ['InvalidPathException', `Invalid path name ${name}`, 'invalid'],
        ['RemoteException', `The directory item limit of ${name} is exceeded: limit=5`, 'limit'],
      ];
      for (const [exception, message, code] of told) {
        expect([name, classify(exception, message).code]).toEqual([name, code]);
      }
    }
  });

  it('tries again only what a moment or another server can mend', () => {
    const tried = Object.entries(meanings).filter(([, { disposition }]) => disposition === 'retry');
    const expected = 'standby busy safe-mode leased no-block no-datanode out-of-range io not-webhdfs other';
    expect(tried.map(([code]) => code).sort()).toEqual(expected.split(' ').sort());
  });

  it.each([
    ['MaxDirectoryItemsExceededException', 'dfs.namenode.fs-limits.max-directory-items'],
    ['PathComponentTooLongException', 'dfs.namenode.fs-limits.max-component-length'],
    ['NSQuotaExceededException', '--direct'],
  ])('tells what to do about %s', (exception, words) => {
    const body = JSON.stringify({ RemoteException: { exception, message: 'm', javaClassName: `a.${exception}` } });
    expect(remoteErrorOf(403, body, { operation: 'CREATE', path: '/f' }).message).toContain(words);
  });

  it('tells that a datanode cannot take a path that is too long', () => {
    const page = '<h1>Bad Message 400</h1><pre>reason: No Host</pre>';
    expect(remoteErrorOf(400, page, { operation: 'CREATE', path: '/f' })).toMatchObject({ code: 'invalid' });
    expect(remoteErrorOf(414, '', { operation: 'CREATE', path: '/f' })).toMatchObject({ disposition: 'fail-unit' });
  });
});
