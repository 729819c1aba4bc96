import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { newHome, startCli } from '../support/cli.ts';
import type { TestHdfs } from '../support/hdfs.ts';
import { content } from '../support/odd-tree.ts';
import { alive, copiersOf } from '../support/processes.ts';
import { TwoClusters } from '../support/two-clusters.ts';

const bed = inject('bed');
const FILES = 160;
let pair: TwoClusters;
let source: Record<string, string>;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'copiers');
  const puts = Array.from({ length: FILES }, (_, i) =>
    pair.a.put(`/copiers/tree/d${i % 5}/f${i}`, content(`${i}`, 1000 * i)),
  );
  await Promise.all(puts);
  source = await pair.a.tree('/copiers/tree');
});

async function tokenOf(hdfs: TestHdfs): Promise<string> {
  interface Got {
    readonly Token: { readonly urlString: string };
  }
  return (await hdfs.json<Got>('GETDELEGATIONTOKEN', '/', { renewer: 'root' })).Token.urlString;
}

describe('a copy by two copiers', () => {
  test('tells of each file once, in its log too, and shows no secret in a process list', async () => {
    const home = newHome();
    const log = join(home, 'copy.log');
    const args = ['copy', '--json', '--copiers', '2', '--log-file', log, 'A:/copiers/tree', 'B:/copiers/copy'];
    const [tokenA, tokenB] = await Promise.all([tokenOf(pair.a), tokenOf(pair.b)]);
    const conf = pair.conf({
      A: { auth_mechanism: 'TOKEN', token: tokenA },
      B: { auth_mechanism: 'TOKEN', token: tokenB },
    });
    const { child, ended } = startCli(args, { conf, home });
    const copiers = await copiersOf(child.pid, 2);
    const shown = copiers.flatMap((pid) =>
      ['cmdline', 'environ'].map((what) => readFileSync(`/proc/${pid}/${what}`, 'utf8')),
    );
    const { code, stdout, stderr, status } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(shown).toHaveLength(4);
    for (const token of [tokenA, tokenB]) expect(shown.join('')).not.toContain(token);
    expect(shown.join('')).toContain('--copier-process');
    expect(status).toMatchObject({ 'Files Copied': FILES, 'Files Failed': 0, Verified: { checksum: FILES } });
    expect(await pair.b.tree('/copiers/copy')).toEqual(source);
    const paths = (lines: string) =>
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { path?: string })
        .flatMap(({ path }) => path ?? []);
    const files = Object.keys(source).filter((path) => !path.endsWith('/'));
    const expected = files.map((path) => `/copiers/tree${path}`).sort();
    expect(paths(stdout).sort()).toEqual(expected);
    expect(paths(readFileSync(log, 'utf8')).sort()).toEqual(expected);
    expect(alive(copiers)).toEqual([]);
  });

  test('copies nothing that is equal, and counts failures of both', async () => {
    expect((await pair.run(['copy', 'A:/copiers/tree', 'B:/copiers/equal'])).code).toBe(0);
    const again = await pair.run([
      'copy',
      '--copiers',
      '2',
      '--force',
      '--exact',
      'A:/copiers/tree',
      'B:/copiers/equal',
    ]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.status).toMatchObject({ 'Files Skipped': FILES, 'Files Copied': 0 });
    await Promise.all(
      Array.from({ length: FILES }, (_, i) => pair.b.put(`/copiers/other/d${i % 5}/f${i}`, content('x', 1000 * i))),
    );
    const refused = await pair.run(['copy', '--copiers', '2', '--exact', 'A:/copiers/tree', 'B:/copiers/other']);
    expect(refused.code).toBe(1);
    // The empty one is equal.
    expect(refused.status).toMatchObject({ 'Files Failed': FILES - 1, 'Files Skipped': 1, 'Files Copied': 0 });
  });

  test('ends with its exit code when the second Ctrl-C does not wait, and leaves no process', async () => {
    const args = ['copy', '--silent', '--copiers', '2', 'A:/copiers/tree', 'B:/copiers/killed'];
    const { child, ended } = startCli(args, { conf: bed.configFile, home: newHome(), detached: true });
    const copiers = await copiersOf(child.pid, 2);
    process.kill(-(child.pid ?? NaN), 'SIGINT');
    process.kill(-(child.pid ?? NaN), 'SIGTERM');
    expect((await ended).code).toBe(130);
    expect(alive(copiers)).toEqual([]);
  });

  test.each(['0', '-1', 'many', '1.5'])('of which there cannot be %s', async (copiers) => {
    const args = ['copy', `--copiers=${copiers}`, 'A:/copiers/tree', 'B:/copiers/none'];
    await pair.expectRefused(args, { code: 2, says: ['--copiers', 'not a whole number of at least 1'] });
  });
});
