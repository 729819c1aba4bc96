import { describe, expect, inject, test } from 'vitest';
import { FaultProxy, type FaultProxyRequest, type Reaction } from '../support/fault-proxy.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters, temporaryNames } from '../support/two-clusters.ts';

/** How often a file is tried: what a moment can mend again and again, what it cannot hardly ever, and never with all its bytes. */

const bed = inject('bed');

interface Faulty {
  readonly pair: TwoClusters;
  readonly faultProxy: FaultProxy;
  readonly says: string;
  readonly status: Record<string, unknown>;
}

/** Copies one file whose cluster answers so. */
async function copyOf(
  name: string,
  side: 'A' | 'B',
  react: (request: FaultProxyRequest) => Reaction | undefined,
  flags: readonly string[] = [],
): Promise<Faulty> {
  const pair = await TwoClusters.make(bed, `tries-${name}`);
  const { a, b, root } = pair;
  await a.put(`${root}/tree/file`, content('file', 5000));
  await b.mkdirs(`${root}/tree`);
  const faultProxy = await FaultProxy.start(side === 'A' ? bed.a : bed.b, { datanodes: true, react });
  const conf = pair.conf({ [side]: { url: faultProxy.url } });
  const args = ['copy', '--silent', '--exact', ...flags, `A:${root}/tree`, `B:${root}/tree`];
  const { status } = await pair.run(args, { conf });
  const { stdout: says } = await pair.run(['status', status.Job, '--failures']);
  await faultProxy[Symbol.asyncDispose]();
  expect(temporaryNames(await b.tree(root))).toEqual([]);
  return { pair, faultProxy, says, status: status as unknown as Record<string, unknown> };
}

const refusal = (exception: string, message: string, status = 403): Reaction => ({
  answer: { status, body: JSON.stringify({ RemoteException: { exception, message } }) },
});
const asked = (faultProxy: FaultProxy, operation: string, to: FaultProxyRequest['to'] = 'namenode') =>
  faultProxy.requests.filter((request) => request.operation === operation && request.to === to).length;

/** A checksum of other bytes, in the layout of a file of one block. */
const wrong: Reaction = {
  answer: {
    status: 200,
    body: JSON.stringify({
      FileChecksum: {
        algorithm: 'MD5-of-0MD5-of-512CRC32C',
        bytes: `${'0'.repeat(5)}2${'0'.repeat(18)}${'ab'.repeat(16)}`,
        length: 28,
      },
    }),
  },
};

describe.concurrent('bytes that differ', () => {
  test('at the destination: three tries', async () => {
    const { faultProxy, says, status } = await copyOf('wrong-there', 'B', ({ operation }) =>
      operation === 'GETFILECHECKSUM' ? wrong : undefined,
    );
    expect(status).toMatchObject({ 'Files Failed': 1, Retries: 2 });
    expect(asked(faultProxy, 'CREATE')).toBe(3);
    expect(says).toContain('is not that of the bytes written');
    expect(says).toContain('check the disks and memory of the datanode');
  });

  test('at the source: three tries', async () => {
    const { faultProxy, says, status } = await copyOf('wrong-here', 'A', ({ operation }) =>
      operation === 'GETFILECHECKSUM' ? wrong : undefined,
    );
    expect(status).toMatchObject({ 'Files Failed': 1, Retries: 2 });
    expect(asked(faultProxy, 'OPEN')).toBe(3);
    expect(says).toContain('do not match the checksum of the source');
  });

  test('once: the next try succeeds', async () => {
    let times = 0;
    const { status } = await copyOf('wrong-once', 'B', ({ operation }) =>
      operation === 'GETFILECHECKSUM' && times++ === 0 ? wrong : undefined,
    );
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 1, Verified: { checksum: 1 } });
  });
});

describe.concurrent('a refusal that nobody knows', () => {
  test('after the bytes were sent is not paid for again', async () => {
    const { faultProxy, says, status } = await copyOf('unknown-late', 'B', ({ operation, to }) =>
      operation === 'CREATE' && to === 'datanode' ? refusal('SomethingNewException', 'what') : undefined,
    );
    expect(status).toMatchObject({ 'Files Failed': 1 });
    expect(asked(faultProxy, 'CREATE', 'datanode')).toBeLessThanOrEqual(3);
    expect(says).toContain('SomethingNewException: what');
  });

  test('before a byte moved: three tries', async () => {
    const { faultProxy, says, status } = await copyOf('unknown-early', 'A', ({ operation, to }) =>
      operation === 'OPEN' && to === 'datanode' ? refusal('SomethingNewException', 'what') : undefined,
    );
    expect(status).toMatchObject({ 'Files Failed': 1, Retries: 2 });
    expect(asked(faultProxy, 'OPEN', 'datanode')).toBe(3);
    expect(says).toContain('SomethingNewException: what');
  });
});

describe.concurrent('blocks that are missing', () => {
  test('for a moment are waited for', async () => {
    let times = 0;
    const { status } = await copyOf('missing-once', 'A', ({ operation, to }) =>
      operation === 'OPEN' && to === 'datanode' && times++ < 4
        ? refusal('BlockMissingException', 'Could not obtain block: BP-1:blk_1_1 file=/x')
        : undefined,
    );
    expect(status).toMatchObject({ 'Files Copied': 1, Retries: 4 });
  });
});

test.concurrent('a checksum that cannot be computed is asked for three times, and then done without', async () => {
  const { faultProxy, status } = await copyOf('no-checksum', 'A', ({ operation }) =>
    operation === 'GETFILECHECKSUM'
      ? refusal('PathIOException', "`/x': Fail to get block MD5 for LocatedBlock{}")
      : undefined,
  );
  expect(status).toMatchObject({ 'Files Copied': 1, Retries: 0, Verified: { 'read-back': 1 } });
  expect(faultProxy.count('GETFILECHECKSUM')).toBeLessThanOrEqual(12);
});
