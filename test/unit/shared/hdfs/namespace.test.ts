import { describe, expect, it } from 'vitest';
import { never } from '../../../support/files.ts';
import { clientOf, closedPort, ScriptedServer } from '../../../support/scripted-server.ts';

const beans = (...pools: unknown[]) => ({ json: { beans: pools.map((BlockPoolId) => ({ BlockPoolId })) } });
const places = async (urls: readonly string[], path = '/x', changes = {}) => {
  await using fs = clientOf(urls, changes);
  return (await fs.lockedPaths(path, never)).map(({ namespace, path: locked }) => `${namespace} ${locked}`);
};

describe('what a cluster is locked by', () => {
  it('is each address and the block pool, asked for without credentials', async () => {
    await using server = await ScriptedServer.start([beans('BP-1')]);
    expect(await places([server.url])).toEqual([`${server.url} /x`, 'BP-1 /x']);
    const [asked] = server.requests;
    expect(asked?.url).toBe('/jmx?get=Hadoop:service=NameNode,name=NameNodeInfo*::BlockPoolId');
  });

  it('is the block pool of whichever address tells it', async () => {
    const closed = await closedPort();
    await using server = await ScriptedServer.start([beans('BP-1')]);
    expect(await places([closed.url, server.url])).toContain('BP-1 /x');
  });

  it.each([
    ['there is no JMX', { status: 404, text: 'Not Found' }],
    ['it wants a ticket', { status: 401, text: '' }],
    ['the answer is no JSON', { text: '<html>' }],
    ['it knows no block pool', beans()],
    ['it tells those of two namenodes', beans('BP-1', 'BP-2')],
    ['it tells no text', beans(7)],
  ])('is its resolved address where %s', async (_what, answer) => {
    await using server = await ScriptedServer.start([answer]);
    const { port } = new URL(server.url);
    const resolved = `http://127.0.0.1:${port}`;
    expect(await places([`http://localhost:${port}`])).toContain(`${resolved} /x`);
    expect(await places([server.url])).toContain(`${resolved} /x`);
    expect(await places([`http://localhost:${port}/gateway/one`])).not.toContain(`${resolved} /x`);
  });

  it('is of a federated cluster each namespace that lies there, with the path that it serves', async () => {
    await using root = await ScriptedServer.start([beans('BP-root')]);
    await using data = await ScriptedServer.start([beans('BP-data')]);
    const nameservices = [
      { urls: [root.url], mounts: ['/'] },
      { urls: [data.url], mounts: ['/data/deep'] },
    ];
    expect(await places([], '/data', { nameservices })).toEqual(
      expect.arrayContaining(['BP-root /data', 'BP-data /data/deep']),
    );
    expect(await places([], '/data/deep/x', { nameservices })).toEqual([
      `${data.url} /data/deep/x`,
      'BP-data /data/deep/x',
    ]);
    expect(await places([], '/other', { nameservices })).toEqual([`${root.url} /other`, 'BP-root /other']);
  });
});
