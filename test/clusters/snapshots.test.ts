import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCluster } from '../../shared/hdfs/cluster.ts';
import { WebHdfs } from '../../shared/hdfs/webhdfs.ts';
import { silentLog } from '../../shared/log.ts';
import type { SnapshotChange } from '../../shared/storage/capabilities.ts';
import { sharedCluster } from '../support/clusters.ts';
import { errorOf, never } from '../support/files.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { replayed, seenIn } from '../support/snapshots.ts';

/** Who is asked: namenodes and gateways of both releases. Of 3.4 what differs comes in pages of three, of 3.3 as one report. */
const servers = [
  { cluster: 'A', by: 'namenode' },
  { cluster: 'A', by: 'HttpFS' },
  { cluster: 'O', by: 'namenode' },
  { cluster: 'O', by: 'HttpFS' },
] as const;

type Server = (typeof servers)[number];
const keyOf = ({ cluster, by }: Server): string => `${cluster}-${by}`;

const storages = new Map<string, WebHdfs>();
const clients = new Map<string, TestHdfs>();

beforeAll(async () => {
  for (const server of servers) {
    const { namenodeUrl, httpfs } = await sharedCluster(server.cluster);
    const url = server.by === 'HttpFS' ? httpfs?.url : namenodeUrl;
    if (url === undefined) throw new Error(`${server.cluster} has no HttpFS`);
    storages.set(keyOf(server), storageOf(url));
    clients.set(server.cluster, new TestHdfs(namenodeUrl));
  }
}, 400_000);

afterAll(() => Promise.all([...storages.values()].map((storage) => storage.close())));

function storageOf(url: string, user = 'root'): WebHdfs {
  const definition = { name: 'X', user, nameservices: [{ urls: [url], mounts: ['/'] }] };
  return new WebHdfs(parseCluster(JSON.stringify(definition), 'X'), silentLog);
}

function found<T>(all: ReadonlyMap<string, T>, key: string): T {
  const one = all.get(key);
  if (one === undefined) throw new Error(`there is no ${key}`);
  return one;
}

/** A snapshottable directory of a test's own. */
async function newRoot(server: Server, name: string) {
  const hdfs = found(clients, server.cluster);
  const fs = found(storages, keyOf(server));
  const root = `/snapshots-${server.by}-${name}`;
  await hdfs.mkdirs(root);
  await hdfs.call('PUT', 'ALLOWSNAPSHOT', root);
  return new Root(hdfs, fs, root);
}

class Root {
  readonly hdfs: TestHdfs;
  readonly fs: WebHdfs;
  readonly root: string;
  constructor(hdfs: TestHdfs, fs: WebHdfs, root: string) {
    this.hdfs = hdfs;
    this.fs = fs;
    this.root = root;
  }

  at(path: string): string {
    return `${this.root}/${path}`;
  }

  async move(path: string, target: string): Promise<void> {
    const { text } = await this.hdfs.call('PUT', 'RENAME', this.at(path), { destination: this.at(target) });
    if (!text.includes('true')) throw new Error(`${path} was not moved to ${target}`);
  }

  async changes(from: string, to: string, within = ''): Promise<SnapshotChange[]> {
    const all: SnapshotChange[] = [];
    for await (const one of this.fs.snapshots.changes(this.root, from, to, within, never)) all.push(one);
    return all;
  }

  /** All that differs, told and tried by replaying it; names of directories that only hold something else left out. */
  async told(from: string, to: string, within = ''): Promise<string[]> {
    const changes = await this.changes(from, to, within);
    const [earlier, later] = [
      await seenIn(this.hdfs, this.root, from, within),
      await seenIn(this.hdfs, this.root, to, within),
    ];
    expect(replayed(earlier, changes, later)).toEqual(later);
    const lines = changes.map((one) =>
      one.kind === 'rename' ? `rename ${one.path} -> ${one.target}` : `${one.kind} ${one.path}`,
    );
    const isDirectory = (path: string) => path === '' || later.get(path)?.includes(' DIRECTORY ') === true;
    return lines.filter((line) => !(line.startsWith('modify ') && isDirectory(line.slice(7)))).sort();
  }

  make(name: string): Promise<void> {
    return this.fs.snapshots.create(this.root, name, never);
  }
}

/** What is done to a tree between two snapshots, and what is to be told of it. The tree is that of `plant`. */
interface Case {
  readonly what: string;
  readonly work: (root: Root) => Promise<void>;
  readonly told: readonly string[];
  readonly within?: string;
}

async function plant({ hdfs, root }: Root): Promise<void> {
  for (const path of ['a', 'b', 'd/f', 'd/g', 'd/e/f', 'd/e/g', 's/x', 's/t/y'])
    await hdfs.put(`${root}/${path}`, path);
}

const cases: readonly Case[] = [
  { what: 'nothing', work: () => Promise.resolve(), told: [] },
  {
    what: 'a file and a directory made',
    work: async ({ hdfs, root }) => {
      await hdfs.put(`${root}/new`, 'n');
      await hdfs.put(`${root}/n/n/n`, 'n');
    },
    told: ['create n', 'create new'],
  },
  {
    what: 'a file and a directory deleted',
    work: async (root) => {
      await root.hdfs.remove(root.at('a'));
      await root.hdfs.remove(root.at('d'));
    },
    told: ['delete a', 'delete d'],
  },
  {
    what: 'appends, cuts and attributes',
    work: async (root) => {
      await root.hdfs.append(root.at('a'), 'more');
      await root.hdfs.call('PUT', 'SETPERMISSION', root.at('d/f'), { permission: '600' });
      await root.hdfs.call('PUT', 'SETXATTR', root.at('d/e/f'), {
        'xattr.name': 'user.a',
        'xattr.value': '0x01',
        flag: 'CREATE',
      });
      await root.hdfs.call('PUT', 'SETOWNER', root.at('d/e/g'), { group: 'staff' });
      await root.hdfs.call('PUT', 'SETREPLICATION', root.at('d/g'), { replication: '2' });
      await root.hdfs.call('POST', 'TRUNCATE', root.at('s/x'), { newlength: '0' });
    },
    told: ['modify a', 'modify d/e/f', 'modify d/e/g', 'modify d/f', 'modify d/g', 'modify s/x'],
  },
  {
    what: 'a file written anew in its place',
    work: (root) => root.hdfs.put(root.at('a'), 'A'),
    told: ['create a', 'delete a'],
  },
  {
    what: 'a file that became a directory',
    work: async (root) => {
      await root.hdfs.remove(root.at('a'));
      await root.hdfs.put(root.at('a/in'), 'x');
    },
    told: ['create a', 'delete a'],
  },
  { what: 'a file renamed', work: (root) => root.move('a', 'd/a2'), told: ['rename a -> d/a2'] },
  { what: 'a directory renamed', work: (root) => root.move('d', 's/d2'), told: ['rename d -> s/d2'] },
  {
    what: 'a directory renamed, and changed in it and below it',
    work: async (root) => {
      await root.hdfs.append(root.at('d/e/f'), 'more');
      await root.move('d', 's/d2');
      await root.hdfs.append(root.at('s/d2/f'), 'more');
      await root.hdfs.remove(root.at('s/d2/g'));
      await root.hdfs.put(root.at('s/d2/e/new'), 'n');
      await root.hdfs.call('PUT', 'SETPERMISSION', root.at('s/d2/e'), { permission: '700' });
    },
    told: ['create s/d2/e/new', 'delete d/g', 'modify s/d2/e/f', 'modify s/d2/f', 'rename d -> s/d2'],
  },
  {
    what: 'renames in a renamed directory, in and out of it',
    work: async (root) => {
      await root.move('d/e', 'd/e2');
      await root.move('d', 'd2');
      await root.move('d2/e2/f', 'd2/f2');
      await root.move('a', 'd2/e2/a');
      await root.move('d2/g', 'g');
      await root.hdfs.append(root.at('d2/e2/g'), 'more');
    },
    told: [
      'modify d2/e2/g',
      'rename a -> d2/e2/a',
      'rename d -> d2',
      'rename d/e -> d2/e2',
      'rename d/e/f -> d2/f2',
      'rename d/g -> g',
    ],
  },
  {
    what: 'two files and two directories that change places',
    work: async (root) => {
      for (const [one, other] of [
        ['a', 'b'],
        ['d', 's'],
      ] as const) {
        await root.move(one, 'between');
        await root.move(other, one);
        await root.move('between', other);
      }
      await root.hdfs.put(root.at('d/new'), 'in what was s');
      await root.hdfs.append(root.at('s/f'), 'in what was d');
    },
    told: ['create d/new', 'modify s/f', 'rename a -> b', 'rename b -> a', 'rename d -> s', 'rename s -> d'],
  },
  {
    what: 'a rename into a directory that is new',
    work: async (root) => {
      await root.hdfs.put(root.at('n/new'), 'n');
      await root.move('a', 'n/a');
      await root.move('d', 'n/d');
      await root.hdfs.append(root.at('n/d/f'), 'more');
    },
    told: ['create n', 'modify n/d/f', 'rename a -> n/a', 'rename d -> n/d'],
  },
  {
    what: 'a directory replaced by a new one of its name, the old one elsewhere',
    work: async (root) => {
      await root.move('d', 'old');
      await root.hdfs.put(root.at('d/f'), 'new');
      await root.hdfs.append(root.at('old/f'), 'more');
    },
    told: ['create d', 'modify old/f', 'rename d -> old'],
  },
  {
    what: 'a rename into a directory of its own, under its old name',
    work: async (root) => {
      await root.move('d', 'between');
      await root.hdfs.mkdirs(root.at('d'));
      await root.move('between', 'd/d');
      await root.hdfs.append(root.at('d/d/e/f'), 'more');
    },
    told: ['create d', 'modify d/d/e/f', 'rename d -> d/d'],
  },
  {
    what: 'what was renamed and then deleted, and made and then renamed',
    work: async (root) => {
      await root.move('a', 'a2');
      await root.hdfs.remove(root.at('a2'));
      await root.hdfs.put(root.at('new'), 'n');
      await root.move('new', 's/new');
    },
    told: ['create s/new', 'delete a'],
  },
  {
    what: 'a move out of the directory asked about',
    work: (root) => root.move('d/e', 'e'),
    within: 'd',
    told: ['delete e'],
  },
  {
    what: 'a move into the directory asked about',
    work: async (root) => {
      await root.move('s/t', 'd/t');
      await root.hdfs.append(root.at('d/t/y'), 'more');
    },
    within: 'd',
    told: ['create t'],
  },
  {
    what: 'changes in the directory asked about, and beside it',
    work: async (root) => {
      await root.hdfs.remove(root.at('a'));
      await root.move('d/e', 'd/e2');
      await root.hdfs.append(root.at('d/e2/f'), 'more');
    },
    within: 'd',
    told: ['modify e2/f', 'rename e -> e2'],
  },
];

describe.each(servers)('of $cluster by $by', (server) => {
  test.each(cases)('$what', async ({ what, work, within = '', told }) => {
    const root = await newRoot(server, what.replaceAll(/\W+/g, '-'));
    await plant(root);
    await root.make('s0');
    await work(root);
    await root.make('s1');
    // What happens afterwards is not asked about.
    await root.hdfs.put(root.at('afterwards'), 'x');
    expect(await root.told('s0', 's1', within)).toEqual([...told].sort());
  });

  test('a rename back is a rename to its own name, or nothing', async () => {
    const root = await newRoot(server, 'back');
    await plant(root);
    await root.make('s0');
    await root.move('d', 'between');
    await root.move('between', 'd');
    await root.hdfs.append(root.at('d/f'), 'more');
    await root.make('s1');
    const told = await root.told('s0', 's1');
    expect(told.filter((line) => line !== 'rename d -> d')).toEqual(['modify d/f']);
  });

  test('a child moved out of a directory that was then deleted is told, and nothing below that directory', async () => {
    const root = await newRoot(server, 'moved-out-of-deleted');
    await plant(root);
    await root.make('s0');
    await root.hdfs.append(root.at('d/f'), 'more');
    await root.move('d/e', 'e');
    await root.hdfs.append(root.at('e/f'), 'more');
    await root.hdfs.remove(root.at('d'));
    await root.make('s1');
    const told = await root.told('s0', 's1');
    expect([
      ['create e', 'delete d'],
      ['delete d', 'modify e/f', 'rename d/e -> e'],
    ]).toContainEqual(told);
  });

  test('names of any kind', async () => {
    const root = await newRoot(server, 'names');
    const names = [
      '100%',
      '%41',
      'é😀',
      'new\nline',
      'with space',
      'x;y&z=+#?',
      'back\\slash',
      '{brace}',
      '"',
      'Capital',
    ];
    for (const name of names) await root.hdfs.put(root.at(`${name}/${name}`), 'x');
    await root.make('s0');
    for (const name of names) {
      await root.hdfs.put(root.at(`${name}/made ${name}`), 'x');
      await root.hdfs.append(root.at(`${name}/${name}`), 'x');
      await root.move(name, `moved ${name}`);
    }
    await root.make('s1');
    const expected = names.flatMap((name) => [
      `create moved ${name}/made ${name}`,
      `modify moved ${name}/${name}`,
      `rename ${name} -> moved ${name}`,
    ]);
    expect(await root.told('s0', 's1')).toEqual(expected.sort());
  });

  test('many at once in one directory, made and deleted and renamed', async () => {
    const root = await newRoot(server, 'many');
    const { hdfs } = root;
    for (let i = 0; i < 20; i++) await hdfs.mkdirs(root.at(`d/old${i}`));
    await root.make('s0');
    for (let i = 0; i < 19; i++) await hdfs.mkdirs(root.at(`d/new${i}`));
    for (let i = 0; i < 10; i++) await hdfs.remove(root.at(`d/old${i}`));
    for (let i = 10; i < 17; i++) await root.move(`d/old${i}`, `d/moved${i}`);
    await root.make('s1');
    expect(await root.told('s0', 's1')).toHaveLength(36);
  });

  test('a root, its snapshots and who makes them', async () => {
    const root = await newRoot(server, 'roots');
    const { hdfs, fs } = root;
    await hdfs.put(root.at('in/side'), 'x');
    const { snapshots } = fs;
    for (const path of [root.root, root.at('in'), root.at('in/side'), root.at('not/there')])
      expect(await snapshots.rootOf(path, never)).toBe(root.root);
    await hdfs.mkdirs('/never-snapshottable/in');
    expect(await snapshots.rootOf('/never-snapshottable/in', never)).toBeUndefined();
    await root.make('z');
    await root.make('z');
    await root.make('a');
    expect([...(await snapshots.names(root.root, never))].sort()).toEqual(['a', 'z']);
    expect(await snapshots.drop(root.root, 'z', never)).toBe(true);
    expect(await snapshots.drop(root.root, 'z', never)).toBe(false);
    expect(await snapshots.drop('/never-snapshottable', 'z', never)).toBe(false);
    expect(await snapshots.drop('/never-there', 'z', never)).toBe(false);
    expect(await snapshots.names(root.root, never)).toEqual(['a']);
    expect(await errorOf(snapshots.create('/never-snapshottable', 's', never))).toMatchObject({ code: 'unsupported' });
    expect(await errorOf(snapshots.names('/never-snapshottable', never))).toMatchObject({ name: 'StorageError' });
    expect(await errorOf(snapshots.rootOf(root.at('.snapshot/a/in'), never))).toMatchObject({ code: 'unsupported' });
  });

  test('what cannot be held against each other is refused before anything is told', async () => {
    const root = await newRoot(server, 'refused');
    await plant(root);
    await root.make('s0');
    await root.move('d', 'old');
    await root.hdfs.put(root.at('d/f'), 'new');
    await root.hdfs.remove(root.at('s'));
    await root.make('s1');
    const refusals = [
      ['s0', 'missing', ''],
      ['missing', 's1', ''],
      ['s0', 's1', 'd'],
      ['s0', 's1', 'old'],
      ['s0', 's1', 's'],
      ['s0', 's1', 'a'],
    ] as const;
    for (const [from, to, within] of refusals)
      expect(await errorOf(root.changes(from, to, within)), `${from} ${to} ${within}`).toMatchObject({
        code: 'not-found',
      });
    expect(await errorOf(root.changes('s1', 's0'))).toMatchObject({ code: 'invalid' });
  });

  test('a user who owns the root makes snapshots, another one only finds it', async () => {
    const root = await newRoot(server, 'users');
    await plant(root);
    await root.hdfs.call('PUT', 'SETOWNER', root.root, { owner: 'alice' });
    await using alice = as(server, 'alice');
    await using bob = as(server, 'bob');
    await alice.fs.snapshots.create(root.root, 's0', never);
    await root.hdfs.remove(root.at('a'));
    await alice.fs.snapshots.create(root.root, 's1', never);
    expect(await bob.fs.snapshots.rootOf(root.at('d'), never)).toBe(root.root);
    expect(await errorOf(bob.fs.snapshots.create(root.root, 's2', never))).toMatchObject({ code: 'denied' });
    expect(await errorOf(bob.fs.snapshots.drop(root.root, 's1', never))).toMatchObject({ code: 'denied' });
    const asBob = new Root(root.hdfs, bob.fs, root.root);
    expect(await asBob.told('s0', 's1')).toEqual(['delete a']);
    await root.hdfs.call('PUT', 'SETPERMISSION', root.at('d/e'), { permission: '700' });
    await root.make('s2');
    expect(await errorOf(asBob.changes('s1', 's2'))).toMatchObject({ code: 'denied' });
  });
});

test('more than a page of a thousand', async () => {
  const { namenodeUrl } = await sharedCluster('B');
  const fs = storageOf(namenodeUrl);
  storages.set('B', fs);
  const hdfs = new TestHdfs(namenodeUrl);
  const root = new Root(hdfs, fs, '/snapshots-thousand');
  await hdfs.mkdirs(root.root);
  await hdfs.call('PUT', 'ALLOWSNAPSHOT', root.root);
  await root.make('s0');
  for (let i = 0; i < 1100; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => hdfs.mkdirs(root.at(`d${i + j}`))));
  }
  await root.make('s1');
  expect(await root.told('s0', 's1')).toHaveLength(1100);
}, 300_000);

function as(server: Server, user: string) {
  const [url = ''] = found(storages, keyOf(server)).addressesOf('/');
  const fs = storageOf(url, user);
  return { fs, [Symbol.asyncDispose]: () => fs.close() };
}
