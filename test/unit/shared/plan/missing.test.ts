import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ListOnDisk } from '../../../../shared/machine/list-on-disk.ts';
import { missing } from '../../../../shared/plan/missing.ts';
import { hiding, selection } from '../../../../shared/plan/selection.ts';
import { walk, type WalkCursor } from '../../../../shared/plan/walk.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { namenodeOrder } from '../../../../shared/storage/order.ts';
import { never } from '../../../support/files.ts';
import { ListedTree } from '../../../support/listed-tree.ts';

const { options } = parseJobSpec({ source: 'a:/', destination: 'b:/' });

async function listOf(lines: readonly string[]): Promise<ListOnDisk> {
  const list = new ListOnDisk();
  async function* read() {
    await Promise.resolve();
    for (const [index, text] of lines.entries()) yield { text, number: index + 1 };
  }
  await list.fill(read(), '/');
  return list;
}

/** Walks with a stop after every name, as often as it takes. */
async function walked(paths: readonly string[], lines: readonly string[], stops: boolean) {
  using list = await listOf(lines);
  const source = new ListedTree(paths, namenodeOrder);
  const status = await source.stat('/');
  if (!status) throw new Error('no root');
  const [found, lost]: [string[], string[]] = [[], []];
  const tell = ({ path, source: { kind } }: { path: string; source: { kind: string } }) => {
    if (kind === 'file') found.push(path);
  };
  const visitor = missing({ sourceOnly: tell }, list, async (path) => {
    await Promise.resolve();
    lost.push(path);
  });
  let from: WalkCursor | undefined;
  do {
    from = await walk({ source: { storage: source, root: '/', status } }, visitor, never, {
      hides: hiding(selection(options, '/', list)),
      isOver: () => stops,
      from: from && (JSON.parse(JSON.stringify(from)) as WalkCursor),
    });
  } while (from);
  return { found, lost, asked: source.asked };
}

const tree = ['a/1', 'a/2', 'a/d/3', 'b/1', 'b/é', 'b/😀', 'c', 'e/', 'f/1'];

it.each<[string, string[], string[], string[]]>([
  ['files', ['b/1', 'a/d/3', 'c'], ['a/d/3', 'b/1', 'c'], []],
  ['one file twice, said in other ways', ['a/1', './a//1', '/a/1'], ['a/1'], []],
  ['a directory with all below it', ['a'], ['a/1', 'a/2', 'a/d/3'], []],
  ['a directory, and what lies in it', ['a/2', 'a', 'a/d'], ['a/1', 'a/2', 'a/d/3'], []],
  ['what is not there', ['a/0', 'a/1', 'a/z', 'x/y/z', 'zz'], ['a/1'], ['a/0', 'a/z', 'x/y/z', 'zz']],
  ['what cannot be there, below a file', ['c/x/y', 'c/z', 'b/1'], ['b/1'], ['c/x/y', 'c/z']],
  ['what is not there in a directory that is listed', ['a', 'a/d/4', 'a/9'], ['a/1', 'a/2', 'a/d/3'], ['a/d/4', 'a/9']],
  ["names whose order is the namenode's own", ['b/é', 'b/😀', 'b/é2', 'b/😁'], ['b/é', 'b/😀'], ['b/é2', 'b/😁']],
  ['nothing', [], [], []],
])('a walk comes by %s, stopped anywhere', async (_, lines, found, lost) => {
  for (const stops of [false, true]) {
    const told = await walked(tree, lines, stops);
    expect({ found: told.found.sort(), lost: told.lost.sort() }).toEqual({
      found: [...found].sort(),
      lost: [...lost].sort(),
    });
  }
});

it('lists no directory in which nothing is listed', async () => {
  const { asked } = await walked(tree, ['a/d/3'], false);
  expect(new Set(asked.map((page) => page.split(' ')[0]))).toEqual(new Set(['/', '/a', '/a/d']));
});

it('tells of every line once, whatever tree and list', async () => {
  const name = fc.constantFrom('a', 'b', 'é', '😀', '~');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  await fc.assert(
    fc.asyncProperty(fc.array(path), fc.array(path), fc.boolean(), async (paths, lines, stops) => {
      const files = paths.map((one) => `${one}/f`);
      const told = await walked(
        files,
        lines.map((one) => `${one}/f`),
        stops,
      );
      const wanted = [...new Set(lines.map((one) => `${one}/f`))];
      expect(told.found.sort()).toEqual(wanted.filter((one) => files.includes(one)).sort());
      expect(told.lost.sort()).toEqual(wanted.filter((one) => !files.includes(one)).sort());
    }),
    { numRuns: 200, seed: 7 },
  );
});

it('what only the other side has, directories that are walked included, is no matter of the list', async () => {
  using list = await listOf(['a/1', 'a/9', 'only/x', 'z/9']);
  const trees = [
    new ListedTree(['a/1', 'z/1'], namenodeOrder),
    new ListedTree(['a/b/c', 'only/x', 'only/y/'], namenodeOrder),
  ];
  const [source, destination] = await Promise.all(
    trees.map(async (storage) => ({ storage, root: '/', status: await storage.stat('/') })),
  );
  if (!source?.status || !destination) throw new Error('no root');
  const [extra, lost]: [string[], string[]] = [[], []];
  const walkOn = ({ path }: { path: string }) => {
    extra.push(path);
    return 'walk' as const;
  };
  const visitor = missing({ destinationOnly: walkOn }, list, (path) => Promise.resolve(void lost.push(path)));
  await walk({ source: { ...source, status: source.status }, destination }, visitor, never, {});
  expect({ extra, lost }).toEqual({
    extra: ['a/b', 'a/b/c', 'only', 'only/x', 'only/y'],
    lost: ['a/9', 'only/x', 'z/9'],
  });
});
