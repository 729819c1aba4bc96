import { describe, expect, inject, test } from 'vitest';
import type { JobStatus } from '../../shared/job/job-status.ts';
import { startCli } from '../support/cli.ts';
import { content } from '../support/odd-tree.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** A plan that is kept as a job, and run later: that plan and no other. */

const bed = inject('bed');

async function planned(name: string, ...flags: string[]) {
  const pair = await TwoClusters.make(bed, `plan-only-${name}`);
  const { a, root } = pair;
  for (let i = 0; i < 6; i++) await a.put(`${root}/tree/d${i % 2}/f${i}`, content(`f${i}`, 1000 + i));
  const ends = [`A:${root}/tree`, `B:${root}/tree`];
  const result = await pair.run(['copy', '--silent', '--plan-only', '--exact', ...flags, ...ends]);
  return { pair, ends, result, job: result.status.Job };
}

/** The job that copies now. */
async function running(pair: TwoClusters): Promise<string> {
  for (;;) {
    const { stdout } = await pair.run(['jobs', '--json']);
    const jobs = stdout.split('\n').filter((line) => line !== '');
    const found = jobs
      .map((line) => JSON.parse(line) as JobStatus)
      .find(({ Outcome, Phase }) => Outcome === 'Running' && Phase === 'copying');
    if (found) return found.Job;
  }
}

describe.concurrent('a job that was only planned', () => {
  test('has copied nothing, says how to run it, and is run as it was planned', async () => {
    const { pair, result, job } = await planned('runs');
    const { a, b, root } = pair;
    expect(result.code).toBe(0);
    expect(result.stderr).toBe(
      `hdfs-fanout: planned, and nothing is copied yet; go on with: hdfs-fanout copy --resume ${job}\n`,
    );
    expect(result.status).toMatchObject({
      Outcome: 'Planned',
      Phase: 'planned',
      'Files Expected': 6,
      'Size Expected': 6015,
      'Files Copied': 0,
      Estimated: { seconds: 0.06 },
    });
    expect(await b.tree(`${root}/tree`)).toEqual({ '/d0/': '', '/d1/': '' });
    const listed = await pair.run(['jobs']);
    expect(listed.stdout).toMatch(new RegExp(`^${job} Planned .* 0/6 +0%`, 'm'));
    const shown = await pair.run(['status', job]);
    expect(shown.code).toBe(4);
    expect(shown.status).toEqual(result.status);
    // What has come since is in no plan; what changed is copied as it is now.
    await a.put(`${root}/tree/d0/later`, 'later');
    await a.put(`${root}/tree/d1/f1`, content('changed', 2000));
    const told = await pair.run(['copy', '--resume', job, '--dry-run']);
    expect(told.stdout).toContain('Would: copy 6 files');
    const run = await pair.run(['copy', '--silent', '--resume', job]);
    expect(run.code, run.stderr).toBe(0);
    const copied = { Outcome: 'Successful', Phase: 'done', 'Files Copied': 6, 'Files Expected': 6 };
    expect(run.status).toMatchObject({ ...copied, Estimated: { seconds: 0.06 } });
    const { '/d0/later': later, ...source } = await a.tree(`${root}/tree`);
    expect(later).toBeDefined();
    expect(await b.tree(`${root}/tree`)).toEqual(source);
  });

  test('locks nothing while it waits, and takes the lock when it is run', async () => {
    const { pair, ends, job } = await planned('lock');
    const { a, root } = pair;
    const other = await pair.run(['copy', '--silent', '--exact', '--force', ...ends]);
    expect(other.code, other.stderr).toBe(0);
    await a.put(`${root}/tree/slow`, Buffer.alloc(4_000_000));
    const args = ['copy', '--silent', '--exact', '--force', '--bandwidth', '10K', ...ends];
    const slow = startCli(args, { conf: bed.configFile, home: pair.home });
    const holder = await running(pair);
    const refused = await pair.run(['copy', '--silent', '--resume', job]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`the job ${holder} is writing to`);
    slow.child.kill('SIGINT');
    await slow.ended;
    // What has appeared since is not in the plan: it stays, and is looked at by the next resume.
    const first = await pair.run(['copy', '--silent', '--resume', job]);
    expect({ code: first.code, ...first.status }).toMatchObject({ code: 1, 'Files Copied': 0, 'Files Failed': 6 });
    // What is found equal then counts as copied, as of any file that an earlier claim had begun.
    const second = await pair.run(['copy', '--silent', '--resume', job]);
    expect({ code: second.code, ...second.status }).toMatchObject({ code: 0, 'Files Failed': 0, 'Files Expected': 6 });
  });

  test('is cleaned as any other', async () => {
    const { pair, job } = await planned('clean');
    expect((await pair.run(['clean', job])).code).toBe(0);
    const again = await pair.run(['copy', '--resume', job]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('was cleaned');
  });

  test('keeps type changes for its run, which deletes and copies them', async () => {
    const pair = await TwoClusters.make(bed, 'plan-only-types');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/name`, 'a file');
    await b.put(`${root}/tree/name/inner`, 'in a directory');
    const ends = [`A:${root}/tree`, `B:${root}/tree`];
    const { status } = await pair.run([
      'copy',
      '--silent',
      '--plan-only',
      '--exact',
      '--delete',
      '--max-delete',
      '10',
      ...ends,
    ]);
    expect(status).toMatchObject({ Outcome: 'Planned', 'Files Deleted': 0 });
    const run = await pair.run(['copy', '--silent', '--resume', status.Job]);
    expect(run.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 1, 'Files Deleted': 1 });
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
  });

  test('keeps its snapshot until it is run, though a later job of the mirror succeeds', async () => {
    const pair = await TwoClusters.make(bed, 'plan-only-snapshot');
    const { a, b, root } = pair;
    await a.put(`${root}/tree/d/f`, 'as planned');
    await a.call('PUT', 'ALLOWSNAPSHOT', `${root}/tree`);
    const mirroring = ['copy', '--silent', '--exact', '--force', '--snapshot', `A:${root}/tree`, `B:${root}/tree`];
    const { status } = await pair.run([...mirroring, '--plan-only']);
    expect(status).toMatchObject({ Outcome: 'Planned', 'Files Expected': 1 });
    const nightly = await pair.run(mirroring);
    expect(nightly.code, nightly.stderr).toBe(0);
    // What has appeared since is looked at by the next resume.
    const run = await pair.run(['copy', '--silent', '--resume', status.Job]);
    expect({ code: run.code, ...run.status }).toMatchObject({ code: 1, 'Files Failed': 1 });
    const again = await pair.run(['copy', '--silent', '--resume', status.Job]);
    expect(again.code, again.stderr).toBe(0);
    expect(await b.tree(`${root}/tree`)).toEqual(await a.tree(`${root}/tree`));
    // Of the jobs that have succeeded the next one needs those that a plan was run after.
    const snapshots = await a.tree(`${root}/tree/.snapshot`);
    expect(Object.keys(snapshots)).toContain(`/hdfs-fanout-${status.Job}/`);
  });

  test('is refused beside --dry-run and on a resume', async () => {
    const { pair, ends, job } = await planned('refused');
    await pair.expectRefused(['copy', '--plan-only', '--dry-run', ...ends], { code: 2, says: ['--plan-only'] });
    await pair.expectRefused(['copy', '--resume', job, '--plan-only'], {
      code: 2,
      says: ['--plan-only cannot change'],
    });
  });
});
