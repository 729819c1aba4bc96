import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../shared/plan/entry.ts';
import { type Visitor, walk, type WalkCursor } from '../../../../shared/plan/walk.ts';
import { type NameOrder, namenodeOrder } from '../../../../shared/storage/order.ts';
import { never } from '../../../support/files.ts';
import { byteOrder, ListedTree } from '../../../support/listed-tree.ts';

const temporary = '_hdfs-fanout.other.0.0.1.0';

/** Of one kind, of two, temporary names, and names whose order differs from one storage to the other. */
const here = [
  'a/both',
  'a/deep/er/both',
  'a/here',
  'changed-to-file/below',
  'changed-to-directory',
  'empty/',
  'here/x/y',
  'here/z',
  'é',
  'é-both',
  'b/é/both',
  'b/漢/here',
  'b/ascii',
  `b/${temporary}/below`,
  `b/${temporary}.2`,
];
const there = [
  'a/both',
  'a/deep/er/both',
  'a/deep/there',
  'changed-to-file',
  'changed-to-directory/below/it',
  'é-both',
  'é-there',
  'b/é/both',
  'b/é/there',
  'b/ascii',
  'b/😀/walked/there',
  'b/😀/too',
  'there/x/y',
  `b/${temporary}`,
  `b/${temporary}.3`,
  'zz',
];

const mark = ({ source, destination }: Entry) =>
  `${source ? (source.kind === 'directory' ? 'd' : 'f') : '-'}${destination ? (destination.kind === 'directory' ? 'd' : 'f') : '-'}`;

interface Walked {
  readonly told: string[];
  readonly stops: number;
}

/** Walks with a stop where `stopsAt` says so, the cursor carried over as JSON. */
async function walked(
  source: ListedTree,
  destination: ListedTree | undefined,
  { stopsAt = () => false, isWhole = true }: { stopsAt?: (name: number) => boolean; isWhole?: boolean } = {},
): Promise<Walked> {
  const told: string[] = [];
  const tell = (what: string) => (entry: Entry) => void told.push(`${what} ${mark(entry)} ${entry.path}`);
  const visitor: Visitor = {
    sourceOnly: tell('source'),
    both: tell('both'),
    temporary: tell('temporary'),
    leave: tell('left'),
    blocked: tell('blocked'),
    lost: tell('lost'),
    ...(isWhole
      ? {
          destinationOnly: (entry) => {
            tell('destination')(entry);
            return entry.name === '😀' || entry.name === 'walked' ? 'walk' : undefined;
          },
        }
      : {}),
  };
  const root = await source.stat('/');
  if (!root) throw new Error('no root');
  const trees = {
    source: { storage: source, root: '/', status: root },
    ...(destination ? { destination: { storage: destination, root: '/', status: await destination.stat('/') } } : {}),
  };
  let from: WalkCursor | undefined;
  let [names, stops] = [0, -1];
  do {
    stops += 1;
    from = await walk(trees, visitor, never, { isOver: () => stopsAt(names++), from });
    from &&= JSON.parse(JSON.stringify(from)) as WalkCursor;
  } while (from);
  return { told, stops };
}

describe.each<[string, NameOrder, NameOrder]>([
  ['of one order', namenodeOrder, namenodeOrder],
  ['of another order each', namenodeOrder, byteOrder],
  ['of another order each, the other way round', byteOrder, namenodeOrder],
])('a walk of two storages %s', (_, sourceOrder, destinationOrder) => {
  const trees = () => [new ListedTree(here, sourceOrder), new ListedTree(there, destinationOrder)] as const;

  it('gives each name once, told apart by who has it', async () => {
    const { told } = await walked(...trees());
    const inOrder = (names: string[]) => names.sort((a, b) => a.localeCompare(b));
    expect(inOrder(told)).toEqual(
      inOrder([
        'both dd ',
        'both dd a',
        'both ff a/both',
        'both dd a/deep',
        'both dd a/deep/er',
        'both ff a/deep/er/both',
        'left dd a/deep/er',
        'destination -f a/deep/there',
        'left dd a/deep',
        'source f- a/here',
        'left dd a',
        'both dd b',
        'both dd b/é',
        'both ff b/é/both',
        'destination -f b/é/there',
        'left dd b/é',
        'source d- b/漢',
        'source f- b/漢/here',
        'left d- b/漢',
        'both ff b/ascii',
        `temporary df b/${temporary}`,
        `temporary f- b/${temporary}.2`,
        `temporary -f b/${temporary}.3`,
        'destination -d b/😀',
        'destination -f b/😀/too',
        'destination -d b/😀/walked',
        'destination -f b/😀/walked/there',
        'left -d b/😀/walked',
        'left -d b/😀',
        'left dd b',
        'both fd changed-to-directory',
        'blocked df changed-to-file',
        'source d- empty',
        'left d- empty',
        'source d- here',
        'source d- here/x',
        'source f- here/x/y',
        'left d- here/x',
        'source f- here/z',
        'left d- here',
        'source f- é',
        'both ff é-both',
        'destination -f é-there',
        'destination -d there',
        'destination -f zz',
        'left dd ',
      ]),
    );
  });

  it('gives names in the order of the source, a directory before and after what is in it', async () => {
    const { told } = await walked(...trees());
    const open: string[][] = [];
    for (const line of told) {
      const [what = '', , path = ''] = line.split(' ');
      if (what === 'left') {
        const names = open.pop() ?? [];
        expect(names).toEqual([...names].sort(sourceOrder));
        expect(path.split('/').filter(Boolean)).toHaveLength(open.length);
        continue;
      }
      if (path !== '') open.at(-1)?.push(path.slice(path.lastIndexOf('/') + 1));
      if (told.some((other) => other.startsWith('left') && other.endsWith(` ${path}`))) open.push([]);
    }
    expect(open).toEqual([]);
  });

  it('comes to the same when it stops after every name', async () => {
    const whole = await walked(...trees());
    const { told, stops } = await walked(...trees(), { stopsAt: () => true });
    expect(told).toEqual(whole.told);
    expect(stops).toBe(whole.told.length - 2);
  });

  it('comes to the same wherever it stops once', async () => {
    const whole = await walked(...trees());
    for (let stop = 0; stop < whole.told.length - 2; stop++) {
      const { told, stops } = await walked(...trees(), { stopsAt: (name) => name === stop });
      expect({ stop, told, stops }).toEqual({ stop, told: whole.told, stops: 1 });
    }
  });

  it('leaves out what only the destination has when nobody asks, and tells the rest alike', async () => {
    const all = await walked(...trees());
    const { told } = await walked(...trees(), { isWhole: false });
    expect(told).toEqual(all.told.filter((line) => !/ -[df] /.test(line)));
  });
});

/** Trees of few names, so that both sides often have the same one. */
const paths = fc.array(
  fc
    .array(fc.constantFrom('a', 'b', 'c~', 'é', '\uffee', '😀', temporary), { minLength: 1, maxLength: 4 })
    .map((names) => `${names.join('/')}/`),
  { maxLength: 30 },
);
const orders = fc.constantFrom(namenodeOrder, byteOrder);

it('any two trees are walked as a comparison of their names says, in any stretches', async () => {
  const page = fc.integer({ min: 1, max: 4 });
  const stretch = fc.integer({ min: 1, max: 9 });
  await fc.assert(
    fc.asyncProperty(paths, paths, orders, orders, page, stretch, async (one, other, a, b, names, every) => {
      const trees = () => [new ListedTree(one, a, names), new ListedTree(other, b, names)] as const;
      const { told } = await walked(...trees());
      expect((await walked(...trees(), { stopsAt: (name) => name % every === 0 })).told).toEqual(told);
      const given = told.filter((line) => !line.startsWith('left') && !line.endsWith(' '));
      expect(given.sort()).toEqual(compared(directoriesOf(one), directoriesOf(other)).sort());
    }),
    { numRuns: 150 },
  );
});

/** What a walk should tell of two trees, by their whole sets of directories. */
function compared(ours: ReadonlySet<string>, theirs: ReadonlySet<string>, parent = ''): string[] {
  const inParent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/'))) === parent;
  const paths = [...new Set([...ours, ...theirs])].filter(inParent);
  return paths.flatMap((path) => {
    const [here, there] = [ours.has(path), theirs.has(path)];
    const sides = `${here ? 'd' : '-'}${there ? 'd' : '-'}`;
    if (path.endsWith(temporary)) return [`temporary ${sides} ${path}`];
    const told = `${here ? (there ? 'both' : 'source') : 'destination'} ${sides} ${path}`;
    return here || path.endsWith('😀') ? [told, ...compared(ours, theirs, path)] : [told];
  });
}

/** Every directory of a tree, without slashes around. */
function directoriesOf(paths: readonly string[]): Set<string> {
  return new Set(
    paths.flatMap((path) => {
      const names = path.split('/').filter(Boolean);
      return names.map((_, index) => names.slice(0, index + 1).join('/'));
    }),
  );
}

describe('a walk', () => {
  const many = (directory: string, letter: string) =>
    Array.from({ length: 100 }, (_, index) => `${directory}/${letter}${String(index).padStart(3, '0')}`);

  it('asks for no page of the destination that the source has no name for', async () => {
    const source = new ListedTree(['one/b005', 'two/'], namenodeOrder, 10);
    const destination = new ListedTree(
      [...many('one', 'b'), ...many('two', 'b'), ...many('three', 'b')],
      namenodeOrder,
      10,
    );
    await walked(source, destination, { isWhole: false });
    expect(destination.asked).toEqual(['/ 0', '/one 0']);
  });

  it('lists nothing of a destination directory that is not there, or that nobody wants to walk', async () => {
    const source = new ListedTree(['here/below/x', 'both'], namenodeOrder);
    const destination = new ListedTree(['both', 'there/below/x'], namenodeOrder);
    await walked(source, destination);
    expect(destination.asked).toEqual(['/ 0']);
  });

  it('lists a directory of another order as a whole, and goes on behind the same name', async () => {
    const source = new ListedTree(many('d', 'é'), namenodeOrder, 10);
    const destination = new ListedTree([...many('d', 'a'), ...many('d', 'é')], byteOrder, 10);
    const { told } = await walked(source, destination, { stopsAt: (name) => name === 50, isWhole: false });
    expect(told.filter((line) => line.startsWith('both ff'))).toHaveLength(100);
    expect(destination.asked.filter((page) => page.startsWith('/d '))).toHaveLength(40);
  });

  it('goes on behind a directory that cannot be listed to its end, and gives nothing of it any more', async () => {
    const source = new ListedTree(['a/x', ...many('b', 'x'), 'c/x'], namenodeOrder, 10);
    source.refusedBehind.set('/b', 2);
    const destination = new ListedTree(['a/x', ...many('b', 'y'), ...many('b', 'x0'), 'c/x', 'c/y'], namenodeOrder, 10);
    const { told } = await walked(source, destination);
    expect(told.filter((line) => !/ b\/x0/.test(line))).toEqual([
      'both dd ',
      'both dd a',
      'both ff a/x',
      'left dd a',
      'both dd b',
      'lost dd b',
      'both dd c',
      'both ff c/x',
      'destination -f c/y',
      'left dd c',
      'left dd ',
    ]);
  });

  it('ends with the error of a root that cannot be listed', async () => {
    const source = new ListedTree(['a/x'], namenodeOrder);
    source.refusedBehind.set('/', 0);
    await expect(walked(source, undefined)).rejects.toThrow('refused');
  });

  it('comes back to directories far above, and lists each of those once more', async () => {
    const levels = Array.from({ length: 120 }, (_, depth) => 'd/'.repeat(depth));
    const trees = () => {
      const files = levels.flatMap((level) => [`${level}a`, `${level}b`, `${level}x`, `${level}y`]);
      return [new ListedTree(files, namenodeOrder), new ListedTree(files, namenodeOrder)] as const;
    };
    const [source, destination] = trees();
    const { told } = await walked(source, destination);
    expect(told.filter((line) => line.startsWith('both ff'))).toHaveLength(4 * levels.length);
    // All but the innermost fifty are begun again, behind the directory that the walk comes back from.
    expect(source.asked.filter((page) => page.endsWith(' 0'))).toHaveLength(levels.length + levels.length - 50);
    expect((await walked(...trees(), { stopsAt: (name) => name % 7 === 0 })).told).toEqual(told);
  });

  it('asks ahead for eight directories, also behind many that are blocked or lost', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `d${String(index).padStart(2, '0')}`);
    const source = new ListedTree(
      names.map((name) => `${name}/x`),
      namenodeOrder,
      100,
    );
    // Among the first 40, each fourth one has a file in its place, and each fourth one cannot be listed.
    const destination = new ListedTree(
      names.slice(0, 40).filter((_, index) => index % 4 === 1),
      namenodeOrder,
      100,
    );
    for (const [index, name] of names.entries()) {
      if (index < 40 && index % 4 === 3) source.refusedBehind.set(`/${name}`, 0);
    }
    const askedAt = new Map<string, number>();
    const status = await source.stat('/');
    if (!status) throw new Error('no root');
    const trees = {
      source: { storage: source, root: '/', status },
      destination: { storage: destination, root: '/', status },
    };
    await walk(trees, { leave: ({ path }) => void askedAt.set(path, source.asked.length) }, never);
    // The root's own page, d00 to d49, and eight more.
    expect(askedAt.get('d49')).toBe(1 + 50 + 8);
  });
});
