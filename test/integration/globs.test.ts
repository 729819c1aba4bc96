import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { expandGlob } from '../../shared/plan/glob.ts';
import { getHadoop } from '../bed/jars.ts';
import { hadoopEnvironment, openModules } from '../bed/jvm.ts';
import { runTool } from '../bed/tools.ts';
import { errorOf, never } from '../support/files.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { clientOf } from '../support/scripted-server.ts';

/** Patterns find what Hadoop's own Storage.globStatus finds on the same cluster. */

const bed = inject('bed');
const root = '/globs';
const names = [
  ...[
    '2024/01/x',
    '2024/02/x',
    '2025/01/x',
    '2025/02/x',
    'a',
    'b',
    'ab',
    'ac',
    'abc',
    'a{b}',
    'a{b',
    'a}',
    'a*b',
    'a[b',
  ],
  ...[
    'a]b',
    'x,y',
    'x',
    'xy',
    '.hid',
    'a.b',
    '1..3',
    '1',
    '^a',
    '!a',
    '-',
    'a-',
    'dd',
    'é',
    '{a,b}',
    'p|q',
    'p+',
    '(a)',
    '$1',
  ],
];

/** Found by both alike, in whatever order. */
const alike = [
  ...[
    '{2024/01,2025/02}',
    '{2024,2025}/01',
    '{2024/{01,02},2025/01}/x',
    '20{24,25}/0{1,2}/x',
    '{2024/0[12],a}',
    '{a,2024/01}',
  ],
  ...[
    '{a}',
    'a{b}',
    '{a,b}{b,c}',
    '{,a}b',
    'a{,b,bc}',
    'a{}b',
    '{a,{b,a{b,c}}}',
    'a\\{b\\}',
    'a\\{b',
    '\\{a\\,b\\}',
    '{a\\,b,x}',
  ],
  ...[
    '{x,y}',
    '{x\\,y}',
    '{1..3}',
    '1{..3,}',
    'a*',
    'a**b',
    '?',
    'a?',
    '[ab]',
    '[^a]',
    '[!a]',
    '[a-c]',
    '[a^]',
    '[a!]',
    '[]a]',
  ],
  ...[
    '[a\\-]',
    'a[b,c]c',
    '{a[b,c],x}',
    'a\\*b',
    'a\\[b',
    'a]b',
    'a}',
    '}x',
    'x,y',
    '.h*',
    '.*',
    '*.b',
    '{*b,.hid}',
    '(a)',
    '{p|q,x}',
  ],
  ...[
    'p+',
    '$1',
    'é',
    '[é]',
    '2024/*/x',
    '*/01',
    'nothing*',
    '{nothing,a}',
    '{nothing/x,2024/01}',
    '/{globs,nothing}/2024/0?',
  ],
];

/** Refused by both. */
const refused = ['a{b', 'x{', '{a/b', 'a[b', '[', '[z-a]', '*\\'];

const absolute = (pattern: string) => (pattern.startsWith('/') ? pattern : `${root}/${pattern}`);

/** What Hadoop answers: paths, or undefined where it refuses the pattern. */
async function hadoopsAnswers(patterns: readonly string[]): Promise<(string[] | undefined)[]> {
  const { classpath } = await getHadoop();
  const source = join(import.meta.dirname, '../support/Globs.java');
  const java = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true', ...openModules];
  java.push('-cp', classpath, source, `hdfs://${bed.rpcA}`, ...patterns.map(absolute));
  const { code, stdout, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
  if (code !== 0) throw new Error(`Globs.java ended with ${code}: ${stderr.slice(-2000)}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('!') ? undefined : line.slice(1).split('\t').filter(Boolean).sort()));
}

describe('patterns', () => {
  let answers: Map<string, string[] | undefined>;
  beforeAll(async () => {
    const pair = await TwoClusters.make(bed, root.slice(1));
    for (const name of names) await pair.a.put(`${root}/${name}`, name);
    const patterns = [...alike, ...refused];
    const found = await hadoopsAnswers(patterns);
    answers = new Map(patterns.map((pattern, i) => [pattern, found[i]]));
  });

  const ours = async (pattern: string): Promise<string[]> => {
    await using fs = clientOf([bed.a], { user: 'root' });
    try {
      return (await expandGlob(fs, absolute(pattern), never)).map(({ path }) => path).sort();
    } catch (error) {
      if ((error as Error).message.startsWith('no source matches')) return [];
      throw error;
    }
  };

  test.each(alike)('%s finds what it finds for Hadoop', async (pattern) => {
    expect(await ours(pattern)).toEqual(answers.get(pattern));
  });

  test.each(refused)('%s is refused, as Hadoop refuses it', async (pattern) => {
    expect(answers.get(pattern)).toBeUndefined();
    expect(await errorOf(ours(pattern))).toMatchObject({ name: 'SpecError' });
  });

  test('a star leaves out what begins with a dot, which Hadoop takes', async () => {
    const found = await ours('*');
    expect(found).not.toContain(`${root}/.hid`);
    expect(found).toHaveLength(new Set(names.map((name) => name.split('/')[0])).size - 1);
  });
});
