import { describe, expect, it } from 'vitest';
import type { Disposition } from '../../../../shared/errors.ts';
import { hasCode, type StorageCode, StorageError } from '../../../../shared/storage/errors.ts';
import { remoteErrorOf } from '../../../../shared/hdfs/remote-exception.ts';

const where = { operation: 'MKDIRS', path: '/p/x', host: 'nn1:9870' };
const body = (exception: string, message: string, javaClassName = `org.apache.hadoop.${exception}`) =>
  JSON.stringify({ RemoteException: { exception, javaClassName, message } });

/** Answers of real daemons. */
const answers: readonly (readonly [number, string, string, StorageCode, Disposition])[] = [
  [
    403,
    'StandbyException',
    'Operation category READ is not supported in state standby. Visit https://s.apache.org/sbnn-error',
    'standby',
    'retry',
  ],
  [403, 'RemoteException', 'Operation category WRITE is not supported in state standby.', 'standby', 'retry'],
  [
    403,
    'SecurityException',
    'Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: StandbyException: org.apache.hadoop.ipc.StandbyException: Operation category READ',
    'standby',
    'retry',
  ],
  [
    403,
    'SafeModeException',
    'Cannot create directory /p/sm. Name node is in safe mode.\nIt was turned on manually.',
    'safe-mode',
    'retry',
  ],
  [
    403,
    'RetriableException',
    'org.apache.hadoop.hdfs.server.namenode.SafeModeException: Cannot create directory /p. Name node is in safe mode.',
    'safe-mode',
    'retry',
  ],
  [403, 'RetriableException', 'NameNode still not started', 'busy', 'retry'],
  [
    403,
    'IOException',
    'Failed to find datanode, suggest to check cluster health. excludeDatanodes=null',
    'no-datanode',
    'retry',
  ],
  [
    403,
    'RemoteException',
    'File /p/x could only be written to 0 of the 1 minReplication nodes. There are 0 datanode(s) running',
    'no-datanode',
    'retry',
  ],
  [404, 'FileNotFoundException', 'File does not exist: /p/x', 'not-found', 'fail-unit'],
  [
    403,
    'AccessControlException',
    'Permission denied: user=mallory, access=READ_EXECUTE, inode="/p/priv":root:supergroup:drwx------',
    'denied',
    'fail-unit',
  ],
  [500, 'RemoteException', 'Permission denied: user=mallory, access=WRITE', 'denied', 'fail-unit'],
  [403, 'AuthorizationException', 'User: alice is not allowed to impersonate bob', 'denied', 'fail-unit'],
  [
    403,
    'NSQuotaExceededException',
    'The NameSpace quota (directories and files) of directory /p is exceeded: quota=3 file count=4',
    'quota',
    'fail-unit',
  ],
  [403, 'DSQuotaExceededException', 'The DiskSpace quota of /p is exceeded', 'quota', 'fail-unit'],
  [
    403,
    'QuotaByStorageTypeExceededException',
    'Quota by storage type : SSD on path : /p is exceeded.',
    'quota',
    'fail-unit',
  ],
  [403, 'FileAlreadyExistsException', '/p/x for client 127.0.0.1 already exists', 'exists', 'fail-unit'],
  [403, 'AlreadyBeingCreatedException', 'failed to create file /p/x', 'leased', 'retry'],
  [403, 'RecoveryInProgressException', 'Failed to APPEND_FILE /p/x', 'leased', 'retry'],
  [403, 'InvalidToken', "token (HDFS_DELEGATION_TOKEN token 1 for alice) can't be found in cache", 'token', 'fail-job'],
  [
    403,
    'SecurityException',
    "Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: Token for real user: , can't be found in cache",
    'token',
    'fail-job',
  ],
  [
    403,
    'SecurityException',
    'Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: Token  has expired, current time: 1',
    'token',
    'fail-job',
  ],
  [403, 'SecurityException', 'Failed to obtain user group information: java.io.EOFException', 'token', 'fail-job'],
  [403, 'InvalidToken', 'Renewal request for unknown token', 'token', 'fail-job'],
  [401, 'AuthenticationException', 'Authentication required', 'unauthenticated', 'fail-job'],
  [403, 'IOException', 'Offset=10 out of the range [0, 10); OPEN, path=/p/x', 'out-of-range', 'retry'],
  [403, 'ParentNotDirectoryException', '/p/x (is not a directory)', 'not-a-directory', 'fail-unit'],
  [403, 'AccessControlException', '/p/x (is not a directory)', 'not-a-directory', 'fail-unit'],
  [400, 'IllegalArgumentException', 'Invalid value for webhdfs parameter "op"', 'invalid', 'fail-unit'],
  [400, 'HadoopIllegalArgumentException', 'concat: source file is invalid', 'invalid', 'fail-unit'],
  [400, 'InvalidPathException', 'Invalid path name Invalid file name: /p/a:b', 'invalid', 'fail-unit'],
  [403, 'PathComponentTooLongException', 'The maximum path component name limit is exceeded', 'invalid', 'fail-unit'],
  [403, 'PathIsNotEmptyDirectoryException', "`/p is non empty': Directory is not empty", 'invalid', 'fail-unit'],
  [403, 'SnapshotException', 'The directory /p cannot be deleted since /p is snapshottable', 'invalid', 'fail-unit'],
  [400, 'UnsupportedOperationException', 'Symlinks not supported', 'unsupported', 'fail-unit'],
  [403, 'IOException', 'No active nodes contain this block', 'no-block', 'retry'],
  [403, 'BlockMissingException', 'Could not obtain block: BP-1:blk_1_1 file=/p/x', 'no-block', 'retry'],
  [403, 'IOException', 'Fail to get checksum, since file /p/x is under construction.', 'open', 'fail-unit'],
  [403, 'IOException', 'Cannot obtain block length for LocatedBlock{BP-1:blk_1_1;}', 'open', 'fail-unit'],
  [403, 'IOException', 'Byte-per-checksum not matched: bpc=512 but bytesPerCRC=1024', 'no-checksum', 'fail-unit'],
  [403, 'ConnectException', 'SSLHandshakeException: Connection refused', 'io', 'retry'],
  [500, 'SomethingNobodyKnows', 'what', 'other', 'retry'],
];

describe('a RemoteException', () => {
  it.each(answers)('%i %s "%s" means %s: %s', (status, exception, message, code, disposition) => {
    const error = remoteErrorOf(status, body(exception, message), where);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ name: 'StorageError', code, disposition, exception, where });
  });

  it.each([
    ['FileNotFoundException', 'not-found'],
    ['FileAlreadyExistsException', 'exists'],
    ['AccessControlException', 'denied'],
  ])('%s means the same whatever its path is called', (exception, code) => {
    const names = [
      'SafeModeException.txt',
      'NSQuotaExceededException',
      'token of x is expired',
      'AlreadyBeingCreatedException',
      'org.apache.hadoop.ipc.StandbyException',
      'AccessControlException',
      'Failed to find datanode',
    ];
    for (const name of names) {
      const error = remoteErrorOf(403, body(exception, `File does not exist: /logs/${name}`), where);
      expect([name, error.code]).toEqual([name, code]);
    }
  });

  it('is told in one line: operation, path, host, class, message, what to do', () => {
    const error = remoteErrorOf(
      403,
      body('SafeModeException', 'Cannot create directory /p/x.\nName node is in safe mode.'),
      where,
    );
    expect(error.message).toBe(
      'MKDIRS /p/x on nn1:9870: SafeModeException: Cannot create directory /p/x. Name node is in safe mode. ' +
        '(check hdfs dfsadmin -safemode get, and resume when it is off)',
    );
  });

  it.each([
    '\n\tat org.apache.Foo.bar(Foo.java:12)\n\tat java.base/x(Y.java:3)',
    '\n    at org.apache.Foo.bar(Foo.java:12)',
  ])('loses its Java stack trace %j', (trace) => {
    const error = remoteErrorOf(403, body('IOException', `It broke${trace}`), where);
    expect(error.reason).toBe('IOException: It broke');
  });

  it('is understood when it is printed over several lines, its message first, or has none', () => {
    const pretty =
      '{\n  "RemoteException" : {\n    "message" : "User: alice",\n    "exception" : "AuthorizationException"\n  }\n}';
    expect(remoteErrorOf(403, pretty, where).code).toBe('denied');
    const bare = JSON.stringify({ RemoteException: { exception: 'FileNotFoundException', message: null } });
    expect(remoteErrorOf(404, bare, where)).toMatchObject({ code: 'not-found', reason: 'FileNotFoundException' });
  });

  it('keeps control characters of a path from breaking the line', () => {
    const error = remoteErrorOf(404, body('FileNotFoundException', 'gone'), { ...where, path: '/a\nb\tc' });
    expect(error.message).toContain('MKDIRS /a\\nb\\tc on');
  });
});

describe('an answer without a RemoteException', () => {
  it.each<[string, number, string, StorageCode, string]>([
    [
      'an HTML page',
      502,
      '<html><head><title>502 Bad\n Gateway</title></head></html>',
      'io',
      'HTTP 502: 502 Bad Gateway',
    ],
    ['an HTML page without a title', 500, '\n<!DOCTYPE html><p>no', 'io', 'HTTP 500: an HTML page'],
    ['a page that asks to log in', 200, '<html><title>Log in</title></html>', 'not-webhdfs', 'HTTP 200: Log in'],
    ['a page of some other server', 404, '<html><title>Not found</title></html>', 'not-webhdfs', 'HTTP 404: Not found'],
    [
      'a page that wants a ticket',
      401,
      '<html><title>Error 401 Authentication required</title></html>',
      'unauthenticated',
      'HTTP 401: Error 401 Authentication required',
    ],
    ['a page that forbids', 403, '<html><title>Forbidden</title></html>', 'denied', 'HTTP 403: Forbidden'],
    ['nothing', 400, '', 'not-webhdfs', 'HTTP 400'],
    ['other JSON', 200, '{"boolean":true}', 'not-webhdfs', 'HTTP 200: {"boolean":true}'],
    ['null', 500, 'null', 'io', 'HTTP 500: null'],
    ['text', 503, 'upstream timed out', 'io', 'HTTP 503: upstream timed out'],
  ])('that is %s goes by its status', (_what, status, text, code, reason) => {
    const error = remoteErrorOf(status, text, where);
    expect(error).toMatchObject({ code, reason, exception: `HTTP ${status}` });
  });

  it('is told in part when it is long', () => {
    expect(remoteErrorOf(500, 'x'.repeat(10_000), where).message.length).toBeLessThan(400);
  });
});

describe('hasCode', () => {
  it('knows errors by their code, and nothing else', () => {
    const error = remoteErrorOf(404, body('FileNotFoundException', ''), where);
    expect(hasCode(error, 'denied', 'not-found')).toBe(true);
    expect(hasCode(error, 'denied')).toBe(false);
    expect(hasCode(Object.assign(new Error(), { code: 'not-found' }), 'not-found')).toBe(false);
    expect(hasCode(undefined, 'not-found')).toBe(false);
  });
});
