import { expect, it } from 'vitest';
import { recordedPathsOf } from '../../../../shared/aws/destination-lock.ts';
import { LocalDisk } from '../../../../shared/disk/local-disk.ts';
import { newJob } from '../../../../shared/job/job.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';
import { decorated } from '../../../../shared/storage/decorated.ts';
import { never } from '../../../support/files.ts';

const destination = decorated(new LocalDisk(65_536), {
  lockedPaths: (path) => Promise.resolve([{ namespace: 'BP', path }]),
});

async function locked(destinations: readonly string[]): Promise<string[]> {
  const roots = destinations.map((to, index) => ({ source: `/in/${index}`, destination: to, kind: 'file' as const }));
  const job = newJob('job', parseJobSpec({ source: 'a:/', destination: 'b:/' }), roots, 0);
  return (await recordedPathsOf(job, destination, never)).map(({ path }) => path);
}

it.each<[string, string[], string[]]>([
  ['few roots one by one', ['/out/a', '/out/b'], ['/out/a', '/out/b']],
  ['a root, however long its path is', [`/${'x'.repeat(9000)}`], [`/${'x'.repeat(9000)}`]],
  ['many as the directory that holds them', Array.from({ length: 2000 }, (_, i) => `/wh/db${i % 7}/${i}`), ['/wh']],
  ['many side by side', Array.from({ length: 2000 }, (_, i) => `/wh/db/t${i}`), ['/wh/db']],
  ['many that share nothing', Array.from({ length: 2000 }, (_, i) => `/${i}`), ['/']],
])('the lock of a job records %s', async (_, destinations, paths) => {
  expect(await locked(destinations)).toEqual(paths);
});
