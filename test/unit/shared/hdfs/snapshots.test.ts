import { describe, expect, it } from 'vitest';
import { SnapshotChanges } from '../../../../shared/hdfs/snapshot-changes.ts';
import type { SnapshotChange } from '../../../../shared/storage/capabilities.ts';
import { allOf, errorOf, never } from '../../../support/files.ts';
import {
  type Answer,
  clientOf,
  fileStatus,
  remoteException,
  ScriptedServer,
} from '../../../support/scripted-server.ts';

const snapshotException = (message: string) => remoteException('SnapshotException', message);
const directory = fileStatus({ type: 'DIRECTORY', fileId: 7 });

interface Page {
  readonly modified?: readonly string[];
  readonly made?: readonly string[];
  readonly gone?: readonly string[];
  readonly next?: readonly [path: string, index: number];
  readonly isFromEarlier?: boolean;
}

/** A page of GETSNAPSHOTDIFFLISTING. `path=target` is a rename. */
function page({ modified = [], made = [], gone = [], next: [lastPath, lastIndex] = ['', -1], ...more }: Page): Answer {
  const entry = (text: string) => {
    const [sourcePath, targetPath] = text.split('=');
    return { sourcePath, targetPath, fileId: 1000 + text.length };
  };
  return {
    json: {
      SnapshotDiffReportListing: {
        modifyList: modified.map(entry),
        createList: made.map(entry),
        deleteList: gone.map(entry),
        lastPath,
        lastIndex,
        isFromEarlier: true,
        ...more,
      },
    },
  };
}

/** A namenode whose listings come in these pages, the last one again and again. */
async function listing(...pages: readonly Answer[]) {
  let asked = 0;
  return ScriptedServer.start(({ operation }) =>
    operation === 'GETFILESTATUS' ? directory : (pages[Math.min(asked++, pages.length - 1)] ?? { status: 500 }),
  );
}

async function changesOf(server: ScriptedServer): Promise<SnapshotChange[]> {
  await using fs = clientOf([server.url]);
  return await allOf(fs.snapshots.changes('/s', 'one', 'two', '', never));
}

describe('what differs, in pages', () => {
  it('is asked for from where the last page ended', async () => {
    await using server = await listing(
      page({ modified: [''], made: ['a'], next: ['', 1] }),
      page({ made: ['b'], next: ['d é', -1] }),
      page({ modified: ['d é'] }),
    );
    expect(await changesOf(server)).toEqual([
      { kind: 'modify', path: '' },
      { kind: 'modify', path: 'd é' },
      { kind: 'create', path: 'a' },
      { kind: 'create', path: 'b' },
    ]);
    const asked = server.requests.filter(({ operation }) => operation === 'GETSNAPSHOTDIFFLISTING');
    expect(asked.map(({ query }) => [query.get('snapshotdiffstartpath'), query.get('snapshotdiffindex')])).toEqual([
      ['', '-1'],
      ['', '1'],
      ['d é', '-1'],
    ]);
    expect(asked.map(({ query }) => [query.get('oldsnapshotname'), query.get('snapshotname')])[0]).toEqual([
      'one',
      'two',
    ]);
  });

  it.each<[string, Page, Page]>([
    ['a directory or a file', { modified: ['a'], next: ['d ', -1] }, { modified: ['e'] }],
    ['a name in a directory', { modified: ['d'], made: ['d/a'], next: ['d', 1] }, { modified: ['e'], made: ['e/a'] }],
    ['a name at the top', { modified: [''], made: ['a'], next: ['', 1] }, { modified: ['d'], gone: ['d/e'] }],
  ])('is not believed where the server lost %s on which the next page was to begin', async (_what, first, second) => {
    await using server = await listing(page(first), page(second));
    expect(await errorOf(changesOf(server))).toMatchObject({
      code: 'limit',
      reason: expect.stringMatching(/begins elsewhere/) as string,
    });
  });

  it('does not go round and round', async () => {
    const round = [page({ gone: ['a'], next: ['', 1] }), page({ made: ['b'], next: ['', 2] })];
    await using server = await listing(
      page({ modified: [''], made: ['b'], next: ['', 2] }),
      ...round,
      page({ gone: ['a'], next: ['', 1] }),
    );
    expect(await errorOf(changesOf(server))).toMatchObject({
      code: 'limit',
      reason: expect.stringMatching(/again and again/) as string,
    });
  });

  it('may tell something twice', async () => {
    await using server = await listing(
      page({ modified: [''], made: ['a', 'b'], gone: ['x=y'], next: ['', 1] }),
      page({ made: ['b'], gone: ['x=y', 'z'] }),
    );
    expect(await changesOf(server)).toHaveLength(5);
  });

  it('of a later and an earlier one is refused', async () => {
    await using server = await listing(page({ isFromEarlier: false }));
    expect(await errorOf(changesOf(server))).toMatchObject({
      code: 'invalid',
      reason: 'the snapshot one is not older than two',
    });
  });

  it.each(['..', '.', 'a/../b', 'a//b', 'nul\0', '/a'])('with the name %j is refused', async (path) => {
    await using server = await listing(page({ made: [path] }));
    expect(await errorOf(changesOf(server))).toMatchObject({ code: 'invalid' });
  });

  it('that no server would send is refused, and an answer without end not read', async () => {
    await using other = await listing({ json: { SnapshotDiffReportListing: { modifyList: [] } } });
    expect(await errorOf(changesOf(other))).toMatchObject({ name: expect.stringMatching(/Error$/) as string });
    await using endless = await listing((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, ' ')));
      };
      response.on('drain', more);
      more();
    });
    expect(await errorOf(changesOf(endless))).toMatchObject({
      code: 'limit',
      reason: expect.stringMatching(/more than 16777216 bytes/) as string,
    });
  });
});

describe('one report', () => {
  const report = (...diffList: object[]): Answer => ({ json: { SnapshotDiffReport: { diffList } } });
  const unknown = remoteException('IllegalArgumentException', 'Invalid value for webhdfs parameter "op": no', 400);
  const statuses = (one: number, two: number) => (path: string) =>
    fileStatus({ type: 'DIRECTORY', fileId: 7, modificationTime: path.endsWith('/one') ? one : two });

  async function server(answer: Answer, made = statuses(1, 2)) {
    return ScriptedServer.start(({ operation, path }) =>
      operation === 'GETFILESTATUS' ? made(path) : operation === 'GETSNAPSHOTDIFF' ? answer : unknown,
    );
  }

  it('takes its place, and the listing is asked for once', async () => {
    await using old = await server(
      report({ type: 'RENAME', sourcePath: 'd', targetPath: 'e' }, { type: 'MODIFY', sourcePath: 'd/f' }),
    );
    await using fs = clientOf([old.url]);
    for (let i = 0; i < 2; i++)
      expect(await allOf(fs.snapshots.changes('/s', 'one', 'two', '', never))).toEqual([
        { kind: 'rename', path: 'd', target: 'e' },
        { kind: 'modify', path: 'e/f' },
      ]);
    expect(old.operations.filter((operation) => operation === 'GETSNAPSHOTDIFFLISTING')).toHaveLength(1);
  });

  it('of a later and an earlier one is refused', async () => {
    await using old = await server(report(), statuses(2, 1));
    expect(await errorOf(changesOf(old))).toMatchObject({ code: 'invalid' });
  });

  it('with a kind of change that nobody knows is refused', async () => {
    await using old = await server(report({ type: 'COPY', sourcePath: 'd' }));
    expect(await errorOf(changesOf(old))).toBeInstanceOf(Error);
  });
});

describe('a directory that is not the same in both snapshots and now', () => {
  it.each(['/s/.snapshot/one/d', '/s/.snapshot/two/d', '/s/d'])(
    'at %s is refused, also when it changes meanwhile',
    async (other) => {
      for (const late of [false, true]) {
        let isOther = !late;
        await using server = await ScriptedServer.start(({ operation, path }) => {
          if (operation !== 'GETFILESTATUS') {
            isOther = true;
            return page({});
          }
          return path === other && isOther ? fileStatus({ type: 'DIRECTORY', fileId: 8 }) : directory;
        });
        await using fs = clientOf([server.url]);
        const asked = allOf(fs.snapshots.changes('/s', 'one', 'two', 'd', never));
        expect(await errorOf(asked)).toMatchObject({ code: 'not-found' });
      }
    },
  );
});

describe('snapshots', () => {
  it('made by a request whose answer was lost is made', async () => {
    let tries = 0;
    await using server = await ScriptedServer.start(() =>
      ++tries === 1
        ? (_request, response) => response.destroy()
        : snapshotException('Failed to add snapshot: there is already a snapshot with the same name "one".'),
    );
    await using fs = clientOf([server.url]);
    await fs.snapshots.create('/s', 'one', never);
    expect(server.operations).toEqual(['CREATESNAPSHOT', 'CREATESNAPSHOT']);
  });

  it('are not taken for made because a gateway says nothing', async () => {
    await using server = await ScriptedServer.start([{ json: {} }]);
    await using fs = clientOf([server.url], { retry_timeout: 0 });
    expect(await errorOf(fs.snapshots.create('/s', 'one', never))).toBeInstanceOf(Error);
  });

  it.each([
    ['Cannot delete snapshot one from path /s: the snapshot does not exist.', false],
    ['Directory is not a snapshottable directory: /s', false],
  ])('that are not there are not dropped: %s', async (message, dropped) => {
    await using server = await ScriptedServer.start([snapshotException(message)]);
    await using fs = clientOf([server.url]);
    expect(await fs.snapshots.drop('/s', 'one', never)).toBe(dropped);
  });

  it('of a server without them are an error, not an absence', async () => {
    await using server = await ScriptedServer.start([remoteException('UnsupportedOperationException', 'no')]);
    await using fs = clientOf([server.url]);
    expect(await errorOf(fs.snapshots.drop('/s', 'one', never))).toMatchObject({ code: 'unsupported' });
  });

  it('are not made across mounts, nor above one', async () => {
    await using server = await ScriptedServer.start([fileStatus({ type: 'DIRECTORY', snapshotEnabled: true })]);
    await using other = await ScriptedServer.start([fileStatus({ type: 'DIRECTORY' })]);
    const nameservices = [
      { urls: [server.url], mounts: ['/'] },
      { urls: [other.url], mounts: ['/data/m'] },
    ];
    await using fs = clientOf([], { nameservices });
    expect(await errorOf(fs.snapshots.rootOf('/data', never))).toMatchObject({
      code: 'unsupported',
      reason: 'another namespace begins at /data/m, and no snapshot spans two',
    });
    expect(await fs.snapshots.rootOf('/data/m/x', never)).toBeUndefined();
    expect(other.requests.map(({ path }) => path)).toEqual(['/data/m/x', '/data/m']);
    expect(await fs.snapshots.rootOf('/data/x', never)).toBe('/data/x');
  });

  const listed = (...FileStatus: object[]): Answer => ({
    json: { DirectoryListing: { partialListing: { FileStatuses: { FileStatus } }, remainingEntries: 0 } },
  });
  const allowed = (parentFullPath: string, pathSuffix: string) => [{ parentFullPath, dirStatus: { pathSuffix } }];

  it.each([
    ['that nobody allowed', listed(), null, undefined],
    ['where another directory was allowed', listed(), allowed('/', 'x'), undefined],
    ['that was allowed', listed(), allowed('', ''), '/'],
    ['that has one', listed({ pathSuffix: 'one', type: 'DIRECTORY' }), null, '/'],
  ])('of a root %s, which HDFS calls snapshottable always', async (_what, snapshots, directories, root) => {
    await using server = await ScriptedServer.start(({ operation, path }) => {
      if (operation === 'LISTSTATUS_BATCH') return snapshots;
      if (operation === 'GETFILESTATUS')
        return fileStatus({ type: 'DIRECTORY', ...(path === '/' ? { snapshotEnabled: true } : {}) });
      return { json: { SnapshottableDirectoryList: directories } };
    });
    await using fs = clientOf([server.url]);
    expect(await fs.snapshots.rootOf('/a/b', never)).toBe(root);
  });

  it('of the root are dropped by a path that HttpFS takes', async () => {
    await using server = await ScriptedServer.start([{}]);
    await using fs = clientOf([server.url]);
    expect(await fs.snapshots.drop('/', 'one', never)).toBe(true);
    expect(server.requests[0]?.url).toMatch(/^\/webhdfs\/v1\/\/\?/);
  });

  it('are listed as they were made', async () => {
    const status = (pathSuffix: string, modificationTime: number) => ({
      pathSuffix,
      type: 'DIRECTORY',
      modificationTime,
      fileId: 7,
    });
    await using server = await ScriptedServer.start([listed(status('a', 3), status('b', 1), status('c', 2))]);
    await using fs = clientOf([server.url]);
    expect(await fs.snapshots.names('/s', never)).toEqual(['b', 'c', 'a']);
  });
});

describe('changes', () => {
  it('below what was deleted are none, but for what was moved out', () => {
    using changes = new SnapshotChanges({ operation: 'X', path: '/s' });
    changes.addGone('d', undefined, 1);
    changes.addGone('d/e', undefined, 2);
    changes.addGone('d/f', 'f', 3);
    changes.addGone('d/f/g', undefined, 4);
    changes.addMade('d/new', 5);
    changes.addMade('f', 3);
    changes.addModified('d/x');
    changes.addModified('d/f/y');
    expect([...changes.all()]).toEqual([
      { kind: 'delete', path: 'd' },
      { kind: 'rename', path: 'd/f', target: 'f' },
      { kind: 'delete', path: 'd/f/g' },
      { kind: 'modify', path: 'f/y' },
    ]);
  });

  it('may be left in the middle', () => {
    using changes = new SnapshotChanges({ operation: 'X', path: '/s' });
    for (let i = 0; i < 10; i++) changes.addModified(`${i}`);
    for (const one of changes.all()) {
      expect(one.kind).toBe('modify');
      break;
    }
  });
});
