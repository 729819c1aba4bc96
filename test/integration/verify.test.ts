import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { setAcl, setXattr } from '../support/attributes.ts';
import { newHome, startCli } from '../support/cli.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { content, makeOddTree, oddNames } from '../support/odd-tree.ts';
import { openFile } from '../support/open-file.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { reportIn } from '../support/verification.ts';

/** Two trees held against each other. */

const bed = inject('bed');
const [EQUAL, DIFFERENT, UNKNOWN] = [0, 1, 3];

async function scene(name: string) {
  const pair = await TwoClusters.make(bed, `verify-${name}`);
  const { a, b, root } = pair;
  const paths = [`A:${root}/tree`, `B:${root}/tree`];
  const verify = async (flags: readonly string[] = [], conf?: string) => {
    const home = newHome();
    const result = await pair.run(['verify', '--json', ...flags, ...paths], { home, ...(conf ? { conf } : {}) });
    expect(readdirSync(home)).toEqual([]);
    return { code: result.code, stderr: result.stderr, ...reportIn(result.stdout) };
  };
  const copy = (...flags: string[]) => pair.run(['copy', '--exact', '--force', '--silent', ...flags, ...paths]);
  return { pair, a, b, root, paths, verify, copy };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** The same content on both sides. */
const putBoth = ({ a, b, root }: Scene, path: string, text: Buffer | string) =>
  Promise.all([a.put(`${root}/tree/${path}`, text), b.put(`${root}/tree/${path}`, text)]);

const placesOf = (root: string, path: string) => ({
  source: `${root}/tree${path}`,
  destination: `${root}/tree${path}`,
});

test('a copy of a tree of all names and lengths is equal at every level, attributes included, and is left as it is', async () => {
  const { a, root, verify, copy, pair } = await scene('odd');
  await makeOddTree(a, `${root}/tree`);
  await a.call('PUT', 'SETPERMISSION', `${root}/tree/percent%`, { permission: '600' });
  await setAcl(a, `${root}/tree/plus+plus`, 'user::rw-,user:alice:r--,group::r--,mask::r--,other::---');
  await setXattr(a, `${root}/tree/semi;colon`, 'user.a', '0x31');
  await copy('--preserve');
  const before = await pair.trees();
  const files = Object.entries(before.a).filter(([path]) => !path.endsWith('/')).length;
  const directories = Object.keys(before.a).length - files;
  for (const level of ['size', 'checksum', 'read-back']) {
    const { code, stderr, findings, summary } = await verify(['--level', level, '--preserve']);
    expect({ level, code, stderr, findings }).toEqual({ level, code: EQUAL, stderr: '', findings: [] });
    expect(summary).toMatchObject({ outcome: 'equal', level, equal: { files, directories }, leftOut: {} });
    const { proved } = summary;
    if (level === 'size') expect(proved).toEqual({ length: files });
    if (level === 'read-back') expect(proved).toEqual({ 'read-back': files });
    if (level === 'checksum') expect(proved).toEqual({ checksum: files });
  }
  expect(await pair.trees()).toEqual(before);
});

test('files whose blocks have other lengths are read, and where they differ are told', async () => {
  const { a, b, root, verify, copy } = await scene('blocks');
  await a.put(`${root}/tree/small`, content('small', 70_000));
  for (const name of ['long', 'other']) await a.put(`${root}/tree/${name}`, content(name, 3 * 1024 * 1024));
  await a.put(`${root}/tree/small blocks`, content('small blocks', 10_000), { blocksize: '1024' });
  await copy();
  const { code, summary } = await verify();
  expect({ code, proved: summary.proved }).toEqual({ code: EQUAL, proved: { checksum: 1, 'read-back': 3 } });
  await b.put(`${root}/tree/other`, content('another', 3 * 1024 * 1024));
  expect(await verify()).toMatchObject({ code: DIFFERENT, findings: [{ type: 'different', by: 'content' }] });
  const { findings } = await verify(['--level', 'size', '--attributes', 'blocksize']);
  expect(findings).toHaveLength(4);
  expect(findings).toContainEqual({
    type: 'attributes',
    kind: 'file',
    attributes: { blocksize: [1024, 4 * 1024 * 1024] },
    ...placesOf(root, '/small blocks'),
  });
});

test('each kind of difference is told, with both paths and what differs, and what is equal is counted', async () => {
  const its = await scene('kinds');
  const { a, b, root, verify } = its;
  await putBoth(its, 'd/equal', 'equal');
  await a.put(`${root}/tree/d/length`, 'short');
  await b.put(`${root}/tree/d/length`, 'longer');
  await a.put(`${root}/tree/d/content`, 'content');
  await b.put(`${root}/tree/d/content`, 'CONTENT');
  await a.put(`${root}/tree/missing/file`, 'missing');
  await b.put(`${root}/tree/extra/file`, 'extra one');
  await a.put(`${root}/tree/file or directory`, 'file');
  await b.put(`${root}/tree/file or directory/x`, 'x');
  await a.put(`${root}/tree/directory or file/x`, 'x');
  await b.put(`${root}/tree/directory or file`, 'file');
  await b.put(`${root}/tree/_hdfs-fanout.left.0.0.1.0`, 'left behind');
  const { code, findings, summary } = await verify();
  expect(code).toBe(DIFFERENT);
  const at = (path: string) => placesOf(root, path);
  const [sourceBytes, destinationBytes] = [5, 6];
  expect(findings).toEqual([
    { type: 'different', by: 'content', sourceBytes: 7, destinationBytes: 7, ...at('/d/content') },
    { type: 'different', by: 'length', sourceBytes, destinationBytes, ...at('/d/length') },
    { type: 'different', by: 'type', sourceKind: 'directory', destinationKind: 'file', ...at('/directory or file') },
    { type: 'extra', kind: 'directory', bytes: 0, ...at('/extra') },
    { type: 'extra', kind: 'file', bytes: 9, ...at('/extra/file') },
    { type: 'different', by: 'type', sourceKind: 'file', destinationKind: 'directory', ...at('/file or directory') },
    { type: 'missing', kind: 'directory', bytes: 0, ...at('/missing') },
    { type: 'missing', kind: 'file', bytes: 7, ...at('/missing/file') },
  ]);
  expect(summary).toMatchObject({
    outcome: 'different',
    equal: { files: 1, directories: 2, bytes: 5 },
    missing: { files: 1, directories: 1, bytes: 7 },
    extra: { files: 1, directories: 1, bytes: 9 },
    different: { type: 2, length: 1, content: 1 },
    leftOut: { 'temporary file of a copy': 1 },
    attributes: {},
  });
  const oneWay = await verify(['--one-way']);
  expect(oneWay.findings).toEqual(findings.filter(({ type }) => type !== 'extra'));
  // A report names what is to be copied again; what is of another type stays.
  const list = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-again-')), 'again');
  const again = findings.filter((one) => one.type === 'missing' || (one.type === 'different' && one.by !== 'type'));
  writeFileSync(list, again.map(({ source }) => `${source}\n`).join(''));
  expect((await its.copy('--files-from', list)).code).toBe(0);
  expect((await verify(['--one-way'])).findings.map((one) => one.type === 'different' && one.by)).toEqual([
    'type',
    'type',
  ]);
});

test('what was rewritten in place with its length and time is found by checksum and by reading, and at size it is said that it would not be', async () => {
  const its = await scene('in-place');
  const { a, b, root, verify } = its;
  await putBoth(its, 'f', content('f', 3000));
  await a.put(`${root}/tree/g`, 'bytes');
  await b.put(`${root}/tree/g`, 'BYTES');
  const { modificationTime } = await a.status(`${root}/tree/g`);
  await b.call('PUT', 'SETTIMES', `${root}/tree/g`, { modificationtime: String(modificationTime) });
  for (const level of ['checksum', 'read-back']) {
    const { code, findings } = await verify(['--level', level]);
    expect({ level, code, findings }).toMatchObject({
      code: DIFFERENT,
      findings: [{ type: 'different', by: 'content' }],
    });
  }
  const { code, summary } = await verify(['--level', 'size']);
  expect({ code, proved: summary.proved }).toEqual({ code: EQUAL, proved: { length: 2 } });
  expect(summary.untold).toEqual([expect.stringMatching(/^of 2 files .* --level checksum tells$/)]);
});

test('a bit that a datanode gives another way is no difference of stored checksums, which say so, and is found by reading', async () => {
  const its = await scene('flip');
  await putBoth(its, 'f', content('f', 100_000));
  await using destination = await FaultProxy.start(bed.b, {
    datanodes: true,
    react: ({ operation, to }) => (operation === 'OPEN' && to === 'datanode' ? 'flip' : undefined),
  });
  const conf = its.pair.conf({ B: { url: destination.url } });
  const checksum = await its.verify([], conf);
  expect(checksum).toMatchObject({ code: EQUAL, summary: { proved: { checksum: 1 } } });
  expect(checksum.summary.untold).toEqual([expect.stringContaining('--level read-back tells what the disks hold')]);
  const read = await its.verify(['--level', 'read-back'], conf);
  expect(read).toMatchObject({ code: DIFFERENT, findings: [{ type: 'different', by: 'content' }] });
  expect(read.summary.untold).toEqual([]);
});

test('attributes are compared as far as they are asked for', async () => {
  const its = await scene('attributes');
  const { a, b, root, verify, copy } = its;
  for (const name of ['mode', 'owner', 'time', 'acl', 'xattr', 'same']) await a.put(`${root}/tree/${name}`, name);
  await a.mkdirs(`${root}/tree/d`);
  await copy('--preserve');
  const path = (name: string) => `${root}/tree/${name}`;
  await b.call('PUT', 'SETPERMISSION', path('mode'), { permission: '600' });
  await b.call('PUT', 'SETOWNER', path('owner'), { owner: 'somebody', group: 'others' });
  await b.call('PUT', 'SETTIMES', path('time'), { modificationtime: '1700000000000' });
  await setAcl(b, path('acl'), 'user::rw-,user:alice:r--,group::r--,mask::r--,other::r--');
  await setXattr(b, path('xattr'), 'user.a', '0x31');
  await b.call('PUT', 'SETPERMISSION', path('d'), { permission: '700' });
  const before = await its.pair.trees();
  expect(await verify()).toMatchObject({ code: EQUAL, findings: [] });
  const { code, findings, summary } = await verify(['--preserve']);
  expect(code).toBe(DIFFERENT);
  expect(summary.attributes).toEqual({ permission: 2, owner: 1, group: 1, times: 1, acl: 1, xattr: 1 });
  expect(summary.equal).toMatchObject({ files: 1, directories: 1 });
  const told = findings.map((one) => (one.type === 'attributes' ? [one.kind, one.attributes] : one.type));
  expect(told).toEqual([
    ['file', { acl: ['none', expect.stringContaining('user:alice:r--')] }],
    ['directory', { permission: ['755', '700'] }],
    ['file', { permission: ['644', '600'] }],
    ['file', { owner: ['root', 'somebody'], group: ['supergroup', 'others'] }],
    ['file', { times: [expect.any(String), '2023-11-14T22:13:20.000Z'] }],
    ['file', { xattr: ['none', 'user.a'] }],
  ]);
  const owners = await verify(['--attributes', 'owner', '--level', 'size']);
  expect(owners.findings).toMatchObject([{ attributes: { owner: ['root', 'somebody'] } }]);
  expect(await its.pair.trees()).toEqual(before);
});

describe.concurrent('a file that somebody writes', () => {
  test.each([
    ['source', 0],
    ['source', 6000],
    ['destination', 0],
    ['destination', 6000],
  ] as const)('at the %s, after %d bytes, is told at the levels that look', async (side, bytes) => {
    const its = await scene(`open-${side}-${bytes}`);
    const { a, b, root, verify } = its;
    const [writer, other] = side === 'source' ? [a, b] : [b, a];
    await putBoth(its, 'whole', 'whole');
    await using writing = await openFile(writer, `${root}/tree/log`, bytes);
    await other.put(`${root}/tree/log`, Buffer.alloc(writing.listedBytes, 'w'));
    for (const level of ['checksum', 'read-back']) {
      const { code, findings, summary } = await verify(['--level', level]);
      expect({ level, code }).toEqual({ level, code: UNKNOWN });
      expect(findings).toEqual([
        { type: 'open', reason: expect.stringContaining('open for writing') as string, ...placesOf(root, '/log') },
      ]);
      expect(summary).toMatchObject({ outcome: 'unknown', open: 1, equal: { files: 1 } });
    }
    expect((await verify(['--level', 'size'])).summary).toMatchObject({ outcome: 'equal', proved: { length: 2 } });
  });

  test('and whose namesake is longer is open, not another', async () => {
    const { a, b, root, verify } = await scene('open-longer');
    await using writing = await openFile(a, `${root}/tree/log`, 6000);
    await b.put(`${root}/tree/log`, Buffer.alloc(writing.listedBytes + 1904, 'w'));
    expect(await verify()).toMatchObject({ code: UNKNOWN, findings: [{ type: 'open' }] });
  });
});

describe.concurrent('what could not be looked at', () => {
  test.each([
    ['source', 'A'],
    ['destination', 'B'],
  ] as const)('a directory of the %s is told beside all other differences', async (side, alias) => {
    const its = await scene(`unlisted-${side}`);
    const { pair, root, verify } = its;
    await putBoth(its, 'closed/f', 'f');
    await its.a.put(`${root}/tree/z`, 'z');
    await its[side === 'source' ? 'a' : 'b'].call('PUT', 'SETPERMISSION', `${root}/tree/closed`, { permission: '700' });
    const { code, findings, summary } = await verify([], pair.conf({ [alias]: { user: 'stranger' } }));
    expect(code).toBe(UNKNOWN);
    expect(findings).toMatchObject([
      {
        type: 'unknown',
        ...placesOf(root, '/closed'),
        reason: expect.stringContaining('AccessControlException') as string,
      },
      { type: 'missing', ...placesOf(root, '/z') },
    ]);
    expect(summary).toMatchObject({ outcome: 'unknown', unknown: 1, missing: { files: 1 } });
  });

  test('a file that may not be read', async () => {
    const its = await scene('unread');
    const { a, pair, root, verify } = its;
    await putBoth(its, 'f', 'f');
    await a.call('PUT', 'SETPERMISSION', `${root}/tree/f`, { permission: '600' });
    for (const level of ['checksum', 'read-back']) {
      const { code, findings } = await verify(['--level', level], pair.conf({ A: { user: 'stranger' } }));
      expect({ code, findings }).toMatchObject({
        code: UNKNOWN,
        findings: [{ type: 'unknown', ...placesOf(root, '/f') }],
      });
    }
  });

  test('a source that is not there, or a pattern: one line, no report', async () => {
    const { pair, root } = await scene('nothing');
    const report = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-report-')), 'report');
    await pair.expectRefused(['verify', '--report', report, `A:${root}/none`, `B:${root}`], {
      code: UNKNOWN,
      says: [`A:${root}/none`, 'check the path'],
    });
    await pair.expectRefused(['verify', `A:${root}/*`, `B:${root}`], { code: 2, says: ['named in full'] });
    await pair.expectRefused(['verify', `A:${root}`, `A:${root}`], { code: 2, says: ['is its own source'] });
    await pair.expectRefused(['verify', '--report', '/no/where/x', `A:${root}`, `B:${root}`], {
      code: 2,
      says: ['--report'],
    });
    expect(readdirSync(join(report, '..'))).toEqual([]);
  });
});

test('a destination that is not there lacks everything', async () => {
  const { a, root, verify } = await scene('absent');
  await a.put(`${root}/tree/d/f`, 'f');
  const { code, findings } = await verify();
  expect(code).toBe(DIFFERENT);
  expect(findings.map(({ type, source }) => [type, source])).toEqual([
    ['missing', `${root}/tree`],
    ['missing', `${root}/tree/d`],
    ['missing', `${root}/tree/d/f`],
  ]);
});

test('files that changed since they were listed are compared as they are then', async () => {
  const its = await scene('changing');
  const { a, root, verify, pair } = its;
  await its.b.put(`${root}/tree/f`, 'as it will be');
  await a.put(`${root}/tree/f`, 'As it was now');
  let looked = 0;
  await using source = await FaultProxy.start(bed.a, {
    react: async ({ operation, path }) => {
      // The first comparison sees the old file; before it is told, the new one is there.
      if (operation === 'GETFILESTATUS' && path.endsWith('/f') && looked++ === 0) await a.put(path, 'as it will be');
      return undefined;
    },
  });
  const { code, findings } = await verify([], pair.conf({ A: { url: source.url } }));
  expect({ code, findings }).toEqual({ code: EQUAL, findings: [] });
  expect(looked).toBeGreaterThan(1);
});

test('through HttpFS on either side trees are told as they are', async () => {
  const its = await scene('httpfs');
  const { b, root, pair, verify } = its;
  await putBoth(its, 'd/f', content('f', 5000));
  await putBoth(its, 'empty', '');
  await putBoth(its, 'other', 'other');
  const conf = pair.conf({ A: { url: bed.httpFs } });
  for (const level of ['size', 'checksum', 'read-back']) {
    expect(await verify(['--level', level], conf)).toMatchObject({ code: EQUAL, findings: [] });
  }
  await b.put(`${root}/tree/other`, 'OTHER');
  expect(await verify([], conf)).toMatchObject({ code: DIFFERENT, findings: [{ type: 'different', by: 'content' }] });
});

test('choices hold on both sides: what they leave out is counted, by the option', async () => {
  const its = await scene('choices');
  const { a, b, root, verify } = its;
  await putBoth(its, 'a.csv', 'a');
  await a.put(`${root}/tree/tmp/x.tmp`, 'x');
  await b.put(`${root}/tree/tmp/y.tmp`, 'y');
  await a.put(`${root}/tree/deep/b.csv`, 'longer than others');
  await b.put(`${root}/tree/deep/small`, 's');
  expect(await verify(['--exclude', 'tmp', '--exclude', 'deep'])).toMatchObject({
    code: EQUAL,
    summary: { leftOut: { 'exclude, directories': 2 } },
  });
  // Where files are picked, directories are none of it.
  const picked = await verify(['--include', '*.csv']);
  expect(picked.findings).toMatchObject([{ type: 'missing', ...placesOf(root, '/deep/b.csv') }]);
  // What is too short for the job is no extra either.
  const long = await verify(['--min-size', '3', '--exclude', 'tmp']);
  expect(long.findings).toMatchObject([{ type: 'missing', ...placesOf(root, '/deep/b.csv') }]);
  expect(long.summary.leftOut).toMatchObject({ 'min-size': 2 });
});

test('a list is held against both sides, what it names and neither has is told, and nothing else is listed', async () => {
  const its = await scene('list');
  const { a, b, root, verify, pair } = its;
  await putBoth(its, 'd/one', 'one');
  await a.put(`${root}/tree/d/two`, 'two');
  await b.put(`${root}/tree/e/only there`, 'x');
  await b.put(`${root}/tree/d/unlisted`, 'x');
  await b.mkdirs(`${root}/tree/unlisted`);
  const list = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-list-')), 'list');
  writeFileSync(list, 'd/one\nd/two\nd/none\ne\n');
  await using destination = await FaultProxy.start(bed.b);
  const { code, findings } = await verify(['--files-from', list], pair.conf({ B: { url: destination.url } }));
  expect(code).toBe(UNKNOWN);
  expect(findings.map(({ type, source }) => [type, source.slice(`${root}/tree/`.length)])).toEqual([
    ['unknown', 'd/none'],
    ['missing', 'd/two'],
    ['extra', 'e'],
    ['unknown', 'e'],
    ['extra', 'e/only there'],
  ]);
  expect(destination.requests.filter(({ path }) => path.endsWith('/unlisted'))).toEqual([]);
});

test('pairs are held against each other one by one', async () => {
  const { pair, a, b, root } = await scene('pairs');
  await a.put(`${root}/x/f`, 'f');
  await b.put(`${root}/y/f`, 'f');
  await a.put(`${root}/one`, 'one');
  await b.put(`${root}/two`, 'TWO');
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-pairs-')), 'pairs');
  writeFileSync(file, [`${root}/x,${root}/y`, `${root}/one,${root}/two`, `${root}/none,${root}/y2`].join('\n'));
  const { code, stdout } = await pair.run(['verify', '--json', '--pairs', file, 'A:/', 'B:/']);
  expect(code).toBe(UNKNOWN);
  const { findings, summary } = reportIn(stdout);
  expect(findings).toMatchObject([
    { type: 'unknown', source: `${root}/none`, destination: `${root}/y2` },
    { type: 'different', by: 'content', source: `${root}/one`, destination: `${root}/two` },
  ]);
  expect(summary.equal).toMatchObject({ files: 1, directories: 1 });
});

describe.concurrent('what a person and a program get', () => {
  test('a report in a file holds odd names as JSON, and replaces an older one whole', async () => {
    const its = await scene('report');
    const { pair, a, root, paths } = its;
    await its.b.mkdirs(`${root}/tree`);
    for (const name of oddNames) await a.put(`${root}/tree/${name}`, 'x');
    const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-report-'));
    const file = join(directory, 'report.jsonl');
    writeFileSync(file, 'old');
    const { code, stdout } = await pair.run(['verify', '--report', file, ...paths]);
    expect(code).toBe(DIFFERENT);
    const { findings, summary } = reportIn(readFileSync(file, 'utf8'));
    expect(findings.map(({ source }) => source.slice(`${root}/tree/`.length)).sort()).toEqual([...oddNames].sort());
    expect(summary.missing.files).toBe(oddNames.length);
    expect(readdirSync(directory)).toEqual(['report.jsonl']);
    expect(stdout).toContain('missing     20 files of 20 B, 0 directories\n');
    expect(stdout).toContain('new\\nline');
    expect(stdout).toMatch(/\nThe trees differ \(\d+\.\d s\)\.\n/);
    const dash = await pair.run(['verify', '--report', '-', ...paths]);
    expect(reportIn(dash.stdout).findings).toEqual(findings);
  });

  test('text in 80 columns: the first findings, how many more there are, counts, and what another level would tell', async () => {
    const its = await scene('text');
    const { pair, b, root, paths } = its;
    for (let i = 10; i < 35; i++) await b.put(`${root}/tree/extra ${i}`, 'x');
    await putBoth(its, 'f', 'f');
    const { stdout, code } = await pair.run(['verify', ...paths]);
    expect(code).toBe(DIFFERENT);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.slice(0, 20).every((line) => line.startsWith(`extra       ${root}/tree/extra `))).toBe(true);
    expect(lines.slice(20)).toEqual([
      '… and 5 more: --report FILE tells of all',
      '',
      'equal       1 file of 1 B, 1 directory; content 1 by stored checksum',
      'extra       25 files of 25 B, 0 directories',
      expect.stringMatching(/^The trees differ \(\d+\.\d s\)\.$/),
      'Not told: of 1 file the stored checksums were compared, and no block was read:',
      '--level read-back tells what the disks hold.',
      '',
    ]);
  });

  test('who names the directory that was copied into is told what is meant', async () => {
    const { pair, a, root } = await scene('into');
    await a.put(`${root}/tree/f`, 'f');
    await pair.run(['copy', '--silent', `A:${root}/tree`, `B:${root}`]);
    const { stdout } = await pair.run(['verify', '--json', `A:${root}/tree`, `B:${root}`]);
    expect(reportIn(stdout).summary.untold).toContainEqual(
      expect.stringContaining(`hdfs-fanout verify A:${root}/tree B:${root}/tree`),
    );
  });

  test('Ctrl-C ends it in words, with 130, and without a report', async () => {
    const its = await scene('interrupted');
    await putBoth(its, 'f', 'f');
    await using source = await FaultProxy.start(bed.a, {
      react: ({ operation }) => (operation === 'GETFILECHECKSUM' ? 'hang' : undefined),
    });
    const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-report-'));
    const conf = its.pair.conf({ A: { url: source.url } });
    const { child, ended } = startCli(['verify', '--report', join(directory, 'report'), ...its.paths], { conf });
    await expect.poll(() => source.count('GETFILECHECKSUM'), { timeout: 60_000 }).toBeGreaterThan(0);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: 'hdfs-fanout: interrupted: it is not told whether the trees are equal\n',
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('nothing is asked but questions: no lock, no record, no probe', async () => {
    const its = await scene('asked');
    await putBoth(its, 'f', content('f', 10_000));
    await putBoth(its, 'empty', '');
    await its.b.put(`${its.root}/tree/extra`, '');
    await using source = await FaultProxy.start(bed.a);
    await using destination = await FaultProxy.start(bed.b);
    const conf = its.pair.conf({ A: { url: source.url }, B: { url: destination.url } });
    for (const level of ['size', 'checksum', 'read-back']) await its.verify(['--preserve', '--level', level], conf);
    const operations = new Set([...source.requests, ...destination.requests].map(({ operation }) => operation));
    const questions = 'GETFILESTATUS LISTSTATUS_BATCH GETFILECHECKSUM GET_BLOCK_LOCATIONS OPEN GETXATTRS'.split(' ');
    expect([...operations].filter((one) => !questions.includes(one))).toEqual([]);
  });
});

test('a directory on this machine is held against one of a cluster', async () => {
  const { pair, a, root } = await scene('local');
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-local-'));
  for (const name of ['one', 'two', 'empty']) writeFileSync(join(directory, name), name === 'empty' ? '' : name);
  await pair.run(['copy', '--silent', '--exact', `local:${directory}`, `A:${root}/tree`]);
  const paths = [`local:${directory}`, `A:${root}/tree`];
  for (const level of ['size', 'checksum', 'read-back']) {
    const { code, stdout } = await pair.run(['verify', '--json', '--level', level, ...paths]);
    expect({ code, ...reportIn(stdout) }).toMatchObject({ code: EQUAL, findings: [] });
  }
  await a.put(`${root}/tree/two`, 'TWO');
  const { code, stdout } = await pair.run(['verify', '--json', '--attributes', 'permission,owner', ...paths]);
  expect({ code, ...reportIn(stdout) }).toMatchObject({
    code: DIFFERENT,
    findings: [{ attributes: { permission: ['700', '755'] } }, { by: 'content' }],
  });
  expect(reportIn(stdout).summary.untold.join()).toContain('of owner the local disk keeps nothing');
});
