import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters, writeConf } from '../support/two-clusters.ts';

/** What is wrong with the command or the configuration is told before a cluster is asked: exit code 2. */

const bed = inject('bed');
const USAGE = 2;
const SECRET = 'HgAEcm9vdARyb290AIoBk';
let pair: TwoClusters;
let faultProxy: FaultProxy;
let conf: string;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'bad-usage');
  await pair.a.put(`${pair.root}/tree/dir/file`, 'content');
  faultProxy = await FaultProxy.start(bed.a);
  // Both clusters, and a second alias of one of them, are behind the fault proxy: no request can pass unseen.
  conf = pair.conf({ A: { url: faultProxy.url }, B: { url: faultProxy.url }, A2: { url: `${faultProxy.url}/` } });
});

afterAll(() => faultProxy[Symbol.asyncDispose]());

const refused = async (args: readonly string[], says: readonly string[], file = conf) => {
  await pair.expectRefused(args, { code: USAGE, says, conf: file });
  expect(faultProxy.requests).toEqual([]);
};

describe.concurrent('operands', () => {
  test.each([
    ['no operands', [], ['source and destination are needed', 'copy --help']],
    ['no destination', ['A:/tree'], ['source and destination are needed', 'copy --help']],
    ['a mistyped command', ['verfy', 'A:/tree', 'B:/x'], ['verfy is neither a command nor', 'hdfs-fanout --help']],
    ['a mistyped command alone', ['job'], ['job is neither a command nor', 'hdfs-fanout --help']],
    ['an operand without a cluster', ['/tree', 'B:/x'], ['"/tree" names no cluster', 'cluster:/path']],
    ['an operand without a path', ['A:/tree', 'B:'], ['"B:" names no path', 'cluster:/path']],
    ['an unknown source cluster', ['Q:/tree', 'B:/x'], ['no cluster "Q"', 'it defines A, B, A2']],
    ['an unknown destination cluster', ['-s', 'A', '-d', 'Q', '/tree', '/x'], ['no cluster "Q"', 'it defines A, B']],
    ['sources in two clusters', ['A:/tree', 'B:/tree', 'A:/x'], ['two clusters, A and B', 'in two jobs']],
    ['local to local', ['local:/tmp', 'local:/tmp/x'], ['both local', 'use cp']],
    ['a job that is not known', ['copy', '--resume', 'nothing'], ['no job nothing', 'hdfs-fanout jobs']],
    ['paths beside --resume', ['copy', '--resume', 'nothing', 'A:/tree', 'B:/x'], ['--resume takes no paths']],
  ])('%s', (_, args, says) => refused(args, says));
});

describe.concurrent('flags', () => {
  const paths = ['A:/tree', 'B:/x'];
  test.each([
    ['--part-size', '1000', ['partSize', 'power of two']],
    ['--part-size', '256', ['partSize', '512']],
    ['--buffer-size', '1000', ['bufferSize', 'power of two']],
    ['--threads', '-1', ['threads', '>=0']],
    ['--threads', 'x', ['--threads', "'x'", 'whole number']],
    ['--threads', '1.5', ['--threads', "'1.5'", 'whole number']],
    ['--min-size', '-1', ['minSize', '>=0']],
    ['--max-failures', '-1', ['maxFailures', '>=0']],
    ['--verify', 'maybe', ['--verify', "'maybe'", 'checksum, read-back, length, none']],
    ['--include-pattern', '', ['includePattern']],
    ['--forc', '', ["unknown option '--forc'", 'Did you mean --force?', '--help']],
    ['--bogus', '', ["unknown option '--bogus'", '--help']],
  ])('%s %s', (flag, value, says) => refused([flag, value, ...paths], says));

  test('a flag without its value', () => refused([...paths, '--verify'], ['--verify', 'argument missing', '--help']));
  test('a log file that cannot be written', () =>
    refused([...paths, '--log-file', '/dev/null/log'], ['cannot write the log file /dev/null/log']));
});

describe.concurrent('a destination that is its source or lies inside it', () => {
  test.each([
    ['the same path', 'A:/tree', 'A:/tree', 'is its own source'],
    ['a trailing slash', 'A:/tree', 'A:/tree/', 'is its own source'],
    ['`..`', 'A:/tree', 'A:/tree/dir/../../tree', 'is its own source'],
    ['repeated slashes and dots', 'A:/tree', 'A://tree/./', 'is its own source'],
    ['another alias of the cluster', 'A:/tree', 'A2:/tree', 'is its own source'],
    ['a directory inside', 'A:/tree', 'A:/tree/dir', 'lies inside its source /tree'],
    ['`..` inside', 'A:/tree', 'A:/tree/dir/../new', 'lies inside its source /tree'],
    ['inside, by another alias', 'A:/tree/', 'A2:/tree/new', 'lies inside its source /tree'],
    ['the root', 'A:/', 'A:/copy', 'lies inside its source /'],
  ])('%s', (_, from, to, says) => refused(['--force', from, to], [to.slice(0, to.indexOf(':')), says, 'another']));
});

describe.concurrent('the configuration', () => {
  const paths = ['A:/tree', 'A:/x'];
  const cluster = (fields: object) => ({
    name: 'A',
    token: SECRET,
    nameservices: [{ urls: ['http://localhost:1'], mounts: ['/'] }],
    ...fields,
  });
  const wrong = async (text: string, says: readonly string[]) => {
    const file = writeConf(text);
    const { stderr, stdout } = await pair.expectRefused(paths, { code: USAGE, says, conf: file });
    // Not even its beginning.
    expect(stderr + stdout).not.toContain(SECRET.slice(0, 5));
  };
  const wrongCluster = (fields: object, says: readonly string[]) =>
    wrong(JSON.stringify({ clusters: [cluster(fields)] }), says);

  test('is missing', () => refused(paths, ['/no/such/file', '--conf', '$WEBHDFS_CONFIG'], '/no/such/file'));
  test('is a directory', () => refused(paths, ['/tmp', '--conf'], '/tmp'));
  test.each([
    ['is empty', '', 'is not JSON: syntax error at its end'],
    ['is cut off', `{ "clusters": [ { "token": "${SECRET}`, 'is not JSON: syntax error at position 49'],
    ['lacks a comma', `{ "token": "${SECRET}" "name": "A" }`, 'syntax error at position 35'],
    ['lacks quotation marks', `{ "token": ${SECRET} }`, 'is not JSON: syntax error ('],
  ])('%s: nothing of it is told', (_, text, says) => wrong(text, ['clusters.json', says, 'python3 -m json.tool']));
  test('has no clusters', () => wrong('{}', ['clusters: ', 'expected array']));
  test('lacks nameservices', () => wrongCluster({ nameservices: undefined }, ['clusters[0].nameservices: ']));
  test('lacks a URL', () =>
    wrongCluster({ nameservices: [{ urls: [], mounts: ['/'] }] }, ['clusters[0].nameservices[0].urls: ']));
  test('lacks mounts', () =>
    wrongCluster({ nameservices: [{ urls: ['http://nn:1'] }] }, ['clusters[0].nameservices[0].mounts: ']));
  test('has a wrong URL', () =>
    wrongCluster({ nameservices: [{ urls: ['nn1:9870'], mounts: ['/'] }] }, ['urls[0]: ', 'http://nn1:9870']));
  test('has a field that nobody knows', () => wrongCluster({ tiemout: 5 }, ['clusters[0]: ', '"tiemout"']));
  test('has a wrong mechanism', () => wrongCluster({ auth_mechanism: SECRET }, ['clusters[0].auth_mechanism: ']));
  test('has no name', () => wrongCluster({ name: undefined }, ['clusters[0].name: ']));
  test('calls a cluster local', () => wrongCluster({ name: 'local' }, ['clusters[0].name: ', 'the machine itself']));
  test('has two clusters of one name', () =>
    wrong(JSON.stringify({ clusters: [cluster({}), cluster({})] }), ['clusters[1].name: ', 'defined twice']));
  test('lacks the token', () =>
    wrongCluster({ token: undefined, auth_mechanism: 'TOKEN' }, ['clusters[0].token: missing', 'TOKEN']));
  test('lacks a mount for the path', () =>
    wrongCluster({ nameservices: [{ urls: ['http://localhost:1'], mounts: ['/data'] }] }, [
      'cluster A',
      'no nameservice has a mount for',
      'add the mount',
    ]));
  test('names a truststore that does not exist', () =>
    wrongCluster({ truststore: '/no/such.pem' }, ['cluster A', 'cannot read its truststore /no/such.pem']));
  test.each([
    [
      'a Java keystore',
      Buffer.from('feedfeed00000002', 'hex'),
      ['JKS keystore', 'keytool -list -rfc', '-storetype JKS'],
    ],
    ['a PKCS12 keystore', Buffer.from('308204a2020103', 'hex'), ['PKCS12 keystore', '-storetype PKCS12']],
    ['something else', Buffer.from('hello'), ['is not PEM', 'name a PEM file']],
  ])('names a truststore that is %s', (_, bytes, says) => {
    const truststore = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-truststore-')), 'trust.store');
    writeFileSync(truststore, bytes);
    return wrongCluster({ truststore }, ['cluster A', truststore, ...says]);
  });
});

test('a state directory that cannot be made', async () => {
  const says = ['cannot keep jobs in /dev/null/home', '$HDFS_FANOUT_HOME'];
  await pair.expectRefused(['jobs'], { code: USAGE, says, home: '/dev/null/home' });
});

test.each([
  ['status', ['argument', 'job']],
  ['clean', ['argument', 'job']],
])('%s without a job', (command, says) => refused([command], says));

test.each(['status', 'clean'])('%s of an unknown job', (command) =>
  refused([command, 'nothing'], ['no job nothing', 'hdfs-fanout jobs']),
);
