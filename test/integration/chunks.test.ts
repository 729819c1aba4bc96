import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { newHome } from '../support/cli.ts';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { openFile } from '../support/open-file.ts';
import { content } from '../support/odd-tree.ts';
import { temporaryNames, TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const MIB = 1024 * 1024;
/** Six chunks of 4 MiB, the least common multiple of both sides' blocks, of which the last is short. */
const LENGTH = 21 * MIB + 77;
const CHUNKS = 6;
const chunked = ['--split-above', String(4 * MIB), '--chunk-size', String(3 * MIB)];

/** A pair with a long file and a short one. */
async function pairWith(name: string, directory = 'in'): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `chunks-${name}`);
  await pair.a.put(`${pair.root}/${directory}/long`, content(name, LENGTH));
  await pair.a.put(`${pair.root}/${directory}/short`, 'short');
  return pair;
}

async function requireEqual(pair: TwoClusters): Promise<void> {
  expect(await pair.b.tree(`${pair.root}/out`)).toEqual(await pair.a.tree(`${pair.root}/in`));
}

const copyOf = ({ root }: TwoClusters) => ['copy', '--silent', `A:${root}/in`, `B:${root}/out`, ...chunked];
const proxyOf = (side: 'A' | 'B', react: (request: FaultProxyRequest) => Reaction | undefined | Promise<undefined>) =>
  FaultProxy.start(side === 'A' ? bed.a : bed.b, { datanodes: true, react });
const toDatanode = (proxy: FaultProxy, operation: string) =>
  proxy.requests.filter((request) => request.operation === operation && request.to === 'datanode').length;

describe('a file that is copied in chunks', () => {
  it('is put together, verified, gets its attributes, and is counted once', async () => {
    const pair = await pairWith('whole');
    await pair.a.call('PUT', 'SETTIMES', `${pair.root}/in/long`, { modificationtime: '1500000000000' });
    await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/in/long`, { permission: '640' });
    const { status, code, stderr } = await pair.run([...copyOf(pair), '-p']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({
      Outcome: 'Successful',
      'Files Expected': 2,
      'Files Copied': 2,
      'Size Expected': LENGTH + 5,
      'Size Copied': LENGTH + 5,
      Verified: { checksum: 2 },
      Warnings: {},
      // Under -p the new file has the blocks of the source, of 1 MiB.
      'Files Split': { 'chunks of 3.0 MiB': 1 },
    });
    await requireEqual(pair);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
    const copied = await pair.b.status(`${pair.root}/out/long`);
    expect(copied).toMatchObject({ modificationTime: 1_500_000_000_000, permission: '640', blockSize: MIB });
  });

  it.each(['444', '200', '000'])(
    'is put together by an ordinary user who then gives it mode %s',
    async (permission) => {
      const pair = await pairWith(`mode-${permission}`);
      await pair.a.call('PUT', 'SETPERMISSION', `${pair.root}/in/long`, { permission });
      await pair.b.call('PUT', 'SETOWNER', pair.root, { owner: 'alice' });
      const conf = pair.conf({ B: { user: 'alice' } });
      const args = [...copyOf(pair), '--attributes', 'permission'];
      const { status, code, stderr } = await pair.run(args, { conf });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(status).toMatchObject({ 'Files Copied': 2, 'Files Split': { 'chunks of 4.0 MiB': 1 }, Warnings: {} });
      expect(await pair.b.status(`${pair.root}/out/long`)).toMatchObject({
        owner: 'alice',
        permission: String(Number(permission)),
      });
      await requireEqual(pair);
    },
  );

  it('is read once, many chunks at once, and verified by what its chunks add up to where blocks differ', async () => {
    const pair = await pairWith('once');
    // No chunk is written before two are.
    let begun = 0;
    let release: () => void = () => undefined;
    const two = new Promise<void>((resolve) => (release = resolve));
    await using a = await proxyOf('A', () => undefined);
    await using b = await proxyOf('B', async ({ operation, to, path }) => {
      if (operation !== 'CREATE' || to !== 'datanode' || !path.includes('_hdfs-fanout')) return undefined;
      begun += 1;
      if (begun === 2) release();
      await two;
      return undefined;
    });
    const conf = pair.conf({ A: { url: a.url }, B: { url: b.url } });
    const { status, code } = await pair.run([...copyOf(pair), '--include-pattern', 'long'], { conf });
    expect(code).toBe(0);
    expect(status).toMatchObject({ Verified: { checksum: 1 }, 'Files Split': { 'chunks of 4.0 MiB': 1 } });
    expect({ opened: toDatanode(a, 'OPEN'), created: toDatanode(b, 'CREATE') }).toEqual({
      opened: CHUNKS,
      created: CHUNKS,
    });
    expect(b.count('OPEN')).toBe(0);
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(content('once', LENGTH));
  });

  it('is copied by several processes', async () => {
    const pair = await pairWith('processes');
    const { status, code, stderr } = await pair.run([...copyOf(pair), '--copiers', '2']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status).toMatchObject({ 'Files Copied': 2, 'Size Copied': LENGTH + 5, Verified: { checksum: 2 } });
    await requireEqual(pair);
  });

  it('replaces an older file at once with --force', async () => {
    const pair = await pairWith('replaced');
    await pair.b.put(`${pair.root}/out/long`, 'older');
    const { status, code } = await pair.run([...copyOf(pair), '--exact', '--force']);
    expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 2 });
    await requireEqual(pair);
  });

  it.each([
    {
      what: 'an equal file',
      bytes: content('taken', LENGTH),
      code: 0,
      ended: { 'Files Skipped': 1, 'Files Failed': 0 },
    },
    { what: 'another file', bytes: 'another', code: 1, ended: { 'Files Skipped': 0, 'Files Failed': 1 } },
  ])('whose name $what takes meanwhile leaves that file alone', async ({ bytes, code, ended }) => {
    const pair = await pairWith(`taken-${code}`);
    await pair.a.put(`${pair.root}/in/long`, content('taken', LENGTH));
    await using b = await proxyOf('B', async ({ operation, path }) => {
      if (operation === 'CONCAT' && !path.includes('probe')) await pair.b.put(`${pair.root}/out/long`, bytes);
      return undefined;
    });
    const result = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
    expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code });
    expect(result.status).toMatchObject(ended);
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(Buffer.from(bytes));
    expect(temporaryNames(await pair.b.tree(pair.root))).toHaveLength(code);
  });

  it('with a chunk that somebody replaced fails, and a resume copies that chunk alone', async () => {
    const pair = await pairWith('replaced-chunk');
    let writes = 0;
    await using b = await proxyOf('B', async ({ operation, path }) => {
      const isChunk = operation === 'RENAME' && path.includes('_hdfs-fanout') && ++writes === CHUNKS;
      if (!isChunk) return undefined;
      const [chunk = ''] = temporaryNames(await pair.b.tree(`${pair.root}/out`)).filter((name) =>
        /\.s0\.\d+$/.test(name),
      );
      await pair.b.put(`${pair.root}/out${chunk}`, content('other', 4 * MIB));
      return undefined;
    });
    const args = [...copyOf(pair), '--threads', '1', '--include-pattern', 'long'];
    const first = await pair.run(args, { conf: pair.conf({ B: { url: b.url } }) });
    expect(first.code).toBe(1);
    const { stdout } = await pair.run(['status', first.status.Job, '--failures']);
    expect(stdout).toContain('1 of its chunks are not the files that were written');
    await using a = await proxyOf('A', () => undefined);
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job], {
      conf: pair.conf({ A: { url: a.url } }),
    });
    expect({ code: resumed.code, opened: toDatanode(a, 'OPEN') }).toEqual({ code: 0, opened: 1 });
    expect(await pair.b.get(`${pair.root}/out/long`)).toEqual(content('replaced-chunk', LENGTH));
  });

  it('is skipped when it is there already', async () => {
    const pair = await pairWith('again');
    await pair.run([...copyOf(pair), '--exact']);
    const { status, code } = await pair.run([...copyOf(pair), '--exact', '--force']);
    expect({ code, skipped: status['Files Skipped'], copied: status['Files Copied'] }).toEqual({
      code: 0,
      skipped: 2,
      copied: 0,
    });
  });

  it.each(['cut-before', 'cut-after'] as const)(
    'is put together although an answer to CONCAT was lost: %s',
    async (fault) => {
      const pair = await pairWith(fault);
      let faults = 0;
      await using b = await proxyOf('B', ({ operation }) =>
        operation === 'CONCAT' && faults++ === 1 ? fault : undefined,
      );
      const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
      // The first CONCAT asks whether the server has it.
      expect(faults).toBeGreaterThan(1);
      expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 2 });
      await requireEqual(pair);
      expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
    },
  );
});

describe('a chunk whose bytes change on their way', () => {
  it('to the destination is copied again, alone', async () => {
    const pair = await pairWith('flip-once');
    let writes = 0;
    await using b = await proxyOf('B', ({ operation, to }) =>
      operation === 'CREATE' && to === 'datanode' && ++writes === 3 ? 'flip' : undefined,
    );
    const conf = pair.conf({ B: { url: b.url } });
    const { status, code } = await pair.run([...copyOf(pair), '--threads', '1'], { conf });
    expect(code).toBe(0);
    expect(status).toMatchObject({ 'Files Copied': 2, Retries: 1, Verified: { checksum: 2 } });
    expect(writes).toBe(CHUNKS + 2);
    await requireEqual(pair);
  });

  it('to the destination every time fails its file alone, and a resume copies nothing else', async () => {
    const pair = await pairWith('flip-always');
    const isSecond = (path: string) => /_hdfs-fanout\.[^/]*\.1\.\d+\.\d+$/.test(path);
    await using b = await proxyOf('B', ({ operation, to, path }) =>
      operation === 'CREATE' && to === 'datanode' && isSecond(path) && path.includes('.0.1.') ? 'flip' : undefined,
    );
    const first = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
    expect(first.code).toBe(1);
    expect(first.status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 1, 'Size Failed': LENGTH });
    const { stdout } = await pair.run(['status', first.status.Job, '--failures']);
    expect(stdout).toMatch(
      /1 of its 6 chunks are missing: chunk \d of 6: its checksum, .* is not that of the bytes written/,
    );
    expect(await pair.b.exists(`${pair.root}/out/long`)).toBe(false);
    await using a = await proxyOf('A', () => undefined);
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job], {
      conf: pair.conf({ A: { url: a.url } }),
    });
    expect(resumed.code).toBe(0);
    expect(resumed.status).toMatchObject({ 'Files Copied': 2, 'Files Failed': 0, 'Size Copied': LENGTH + 5 });
    expect(toDatanode(a, 'OPEN')).toBe(1);
    await requireEqual(pair);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  });

  it('from the source is found when the file is put together, and a resume copies it anew', async () => {
    const pair = await pairWith('flip-source');
    let reads = 0;
    await using a = await proxyOf('A', ({ operation, to }) =>
      operation === 'OPEN' && to === 'datanode' && ++reads === 2 ? 'flip' : undefined,
    );
    const first = await pair.run(copyOf(pair), { conf: pair.conf({ A: { url: a.url } }) });
    expect(first.code).toBe(1);
    const { stdout } = await pair.run(['status', first.status.Job, '--failures']);
    expect(stdout).toContain('the bytes read do not match the checksum of the source');
    expect(await pair.b.exists(`${pair.root}/out/long`)).toBe(false);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job]);
    expect(resumed.code).toBe(0);
    await requireEqual(pair);
  });
});

describe('a file whose chunks cannot be put together', () => {
  it.each([
    { policy: 'fail', code: 1, ended: { 'Files Failed': 1, Skipped: {} } },
    { policy: 'skip', code: 0, ended: { 'Files Failed': 0, Skipped: { 'open for writing': 1 } } },
  ])('because somebody writes it ends before a byte is moved, with --open-files $policy', async (expected) => {
    const pair = await TwoClusters.make(bed, `chunks-open-${expected.policy}`);
    const path = `${pair.root}/in/long`;
    await pair.a.put(path, content('open', 20 * MIB));
    await using writer = await openFile(pair.a, path, 0, 'append');
    expect(writer.listedBytes).toBe(20 * MIB);
    await using a = await proxyOf('A', () => undefined);
    const args = [...copyOf(pair), '--open-files', expected.policy];
    const { status, code } = await pair.run(args, { conf: pair.conf({ A: { url: a.url } }) });
    expect(code).toBe(expected.code);
    expect(status).toMatchObject({ ...expected.ended, 'Files Split': { 'chunks of 4.0 MiB': 1 } });
    expect(toDatanode(a, 'OPEN')).toBe(0);
    const { stdout } = await pair.run(['status', status.Job, '--failures']);
    if (expected.policy === 'fail') expect(stdout).toContain('open for writing (copy from a snapshot)');
    expect(await pair.b.tree(`${pair.root}/out`)).toEqual({});
  });

  it('because its source changes meanwhile fails, and nothing of it is left', async () => {
    const pair = await pairWith('changed');
    let writes = 0;
    await using b = await proxyOf('B', async ({ operation, to }) => {
      if (operation === 'CREATE' && to === 'datanode' && ++writes === 4)
        await pair.a.append(`${pair.root}/in/long`, 'more');
      return undefined;
    });
    const { status, code } = await pair.run([...copyOf(pair), '--threads', '1'], {
      conf: pair.conf({ B: { url: b.url } }),
    });
    expect({ code, copied: status['Files Copied'], failed: status['Files Failed'] }).toEqual({
      code: 1,
      copied: 1,
      failed: 1,
    });
    const { stdout } = await pair.run(['status', status.Job, '--failures']);
    expect(stdout).toContain(`it has ${LENGTH + 4} bytes now, ${LENGTH} when it was listed`);
    expect(Object.keys(await pair.b.tree(`${pair.root}/out`))).toEqual(['/short']);
    // As one stream, which takes the source as it is now.
    const resumed = await pair.run(['copy', '--silent', '--resume', status.Job]);
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ 'Files Copied': 2, 'Files Failed': 0, 'Size Copied': LENGTH + 9 });
    await requireEqual(pair);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  });

  it('because the server refuses to for a reason of its own goes as one stream on a resume', async () => {
    const pair = await pairWith('refused');
    const body = JSON.stringify({
      RemoteException: { exception: 'HadoopIllegalArgumentException', message: 'concat: not like this' },
    });
    await using b = await proxyOf('B', ({ operation, path }) =>
      operation === 'CONCAT' && !path.includes('probe') ? { answer: { status: 400, body } } : undefined,
    );
    const conf = pair.conf({ B: { url: b.url } });
    const first = await pair.run(copyOf(pair), { conf });
    expect({ code: first.code, failed: first.status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    expect(Object.keys(await pair.b.tree(`${pair.root}/out`))).toEqual(['/short']);
    const asked = b.count('CONCAT');
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job, '--copiers', '2'], { conf });
    expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(resumed.status).toMatchObject({ 'Files Copied': 2, 'Size Copied': LENGTH + 5, Verified: { checksum: 2 } });
    expect(b.count('CONCAT')).toBe(asked);
    await requireEqual(pair);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  });

  it('because a snapshot was taken of them fails with that reason, and a resume copies it', async () => {
    const pair = await pairWith('snapshot');
    await pair.b.mkdirs(`${pair.root}/out`);
    await pair.b.call('PUT', 'ALLOWSNAPSHOT', `${pair.root}/out`);
    let asked = 0;
    await using b = await proxyOf('B', async ({ operation }) => {
      if (operation === 'CONCAT' && ++asked === 2)
        await pair.b.call('PUT', 'CREATESNAPSHOT', `${pair.root}/out`, { snapshotname: 's' });
      return undefined;
    });
    const first = await pair.run([...copyOf(pair), '--exact'], { conf: pair.conf({ B: { url: b.url } }) });
    expect(first.code).toBe(1);
    const { stdout } = await pair.run(['status', first.status.Job, '--failures']);
    expect(stdout).toMatch(/is in snapshot .*--split-above 0/);
    expect(Object.keys(await pair.b.tree(`${pair.root}/out`))).toEqual(['/short']);
    const resumed = await pair.run(['copy', '--silent', '--resume', first.status.Job]);
    expect(resumed.code).toBe(0);
    await requireEqual(pair);
  });

  it('leaves no chunk once the job was cleaned', async () => {
    const pair = await pairWith('cleaned');
    await using stuck = await proxyOf('B', ({ operation }) =>
      operation === 'CONCAT' ? { answer: denied } : undefined,
    );
    const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: stuck.url } }) });
    expect({ code, failed: status['Files Failed'] }).toEqual({ code: 1, failed: 1 });
    expect(temporaryNames(await pair.b.tree(pair.root))).toHaveLength(CHUNKS);
    expect((await pair.run(['clean', status.Job])).code).toBe(0);
    expect(temporaryNames(await pair.b.tree(pair.root))).toEqual([]);
  });
});

const denied = {
  status: 403,
  body: JSON.stringify({ RemoteException: { exception: 'AccessControlException', message: 'Permission denied' } }),
};

describe('a long file that goes as one stream', () => {
  it.each([
    { why: 'a comma in the path of its directory', name: 'comma', to: 'out,put', flags: [] },
    { why: '--direct writes to the final name', name: 'direct', to: 'out', flags: ['--direct'] },
  ])('because of $why is counted with that reason', async ({ why, name, to, flags }) => {
    const pair = await pairWith(name);
    const args = ['copy', '--silent', `A:${pair.root}/in`, `B:${pair.root}/${to}`, ...chunked, ...flags];
    const { status, code } = await pair.run(args);
    expect({ code, copied: status['Files Copied'] }).toEqual({ code: 0, copied: 2 });
    expect(status['Files Not Split']).toEqual({ [why]: 1 });
    expect(status['Files Split']).toBeUndefined();
    expect(await pair.b.tree(`${pair.root}/${to}`)).toEqual(await pair.a.tree(`${pair.root}/in`));
  });

  it('because its destination is the local disk is counted with that reason', async () => {
    const pair = await pairWith('local');
    const directory = newHome();
    const { status, code } = await pair.run([
      'copy',
      '--silent',
      `A:${pair.root}/in`,
      `local:${directory}/out`,
      ...chunked,
    ]);
    expect(code).toBe(0);
    expect(status['Files Not Split']).toEqual({ 'local cannot put files together': 1 });
    expect(await readFile(join(directory, 'out/long'))).toEqual(content('local', LENGTH));
  });

  it('because its server has no CONCAT is counted with that reason', async () => {
    const pair = await pairWith('old');
    const body = JSON.stringify({
      RemoteException: {
        exception: 'IllegalArgumentException',
        message: 'Invalid value for webhdfs parameter "op": CONCAT is not a valid POST operation.',
      },
    });
    await using b = await proxyOf('B', ({ operation }) =>
      operation === 'CONCAT' ? { answer: { status: 400, body } } : undefined,
    );
    const { status, code } = await pair.run(copyOf(pair), { conf: pair.conf({ B: { url: b.url } }) });
    expect({ code, asked: b.count('CONCAT') }).toEqual({ code: 0, asked: 1 });
    expect(status['Files Not Split']).toEqual({ 'its server has no CONCAT': 1 });
    await requireEqual(pair);
  });

  it('because nothing is to be split says nothing of it', async () => {
    const pair = await pairWith('never');
    const { status, code } = await pair.run([...copyOf(pair), '--split-above', '0']);
    expect(code).toBe(0);
    expect(status).not.toHaveProperty('Files Split');
    expect(status).not.toHaveProperty('Files Not Split');
  });
});

describe('a dry run', () => {
  it('tells which files are split, and which cannot be and why', async () => {
    const pair = await pairWith('dry');
    const split = await pair.run([...copyOf(pair), '--dry-run']);
    expect(split.stdout).toMatch(/copy .*\/in\/long -> .*\(in 6 chunks of 4\.0 MiB\)/);
    expect(split.stdout).toContain('Would: copy 2 files');
    const not = await pair.run([...copyOf(pair), '--direct', '--dry-run']);
    expect(not.stdout).toMatch(/not split 1 files that are long enough {2}\(--direct writes to the final name\)/);
    expect(await pair.b.exists(`${pair.root}/out`)).toBe(false);
  });
});
