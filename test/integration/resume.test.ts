import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { makeFiles } from '../bed/make-files.ts';
import { startCli } from '../support/cli.ts';
import { openFile } from '../support/open-file.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';
import { expectOneLine, TwoClusters, temporaryNames } from '../support/two-clusters.ts';
import type { JobSpec } from '../../shared/job/spec.ts';

/** Jobs that stopped, at any point and for any reason, and what a resume makes of them. */

const bed = inject('bed');
const [SOME_FAILED, USAGE, STOPPED, INTERRUPTED] = [1, 2, 3, 130];
const denied = { RemoteException: { exception: 'AccessControlException', message: 'Permission denied: user=root' } };
const refusal = { answer: { status: 403, body: JSON.stringify(denied) } };

/** A tree of files in two directories, one of which the fault proxy before A refuses to open. */
async function makeTree(name: string): Promise<TwoClusters> {
  const pair = await TwoClusters.make(bed, `resume-${name}`);
  const names = ['d1/a', 'd1/b', 'd2/c', 'denied'];
  await Promise.all(names.map((file) => pair.a.put(`${pair.root}/tree/${file}`, file)));
  return pair;
}

type React = NonNullable<FaultProxyOptions['react']>;

/** Where a job is held so that it can be stopped there: the first request of this kind hangs. */
const holds: Record<
  'planning' | 'copying' | 'finishing',
  { at: 'a' | 'b'; isHeld: (request: Parameters<React>[0]) => boolean }
> = {
  planning: { at: 'a', isHeld: ({ operation, path }) => operation === 'LISTSTATUS_BATCH' && path.endsWith('/d2') },
  copying: { at: 'b', isHeld: ({ operation, path }) => operation === 'CREATE' && path.includes('/d2/') },
  finishing: { at: 'b', isHeld: ({ operation, path }) => operation.startsWith('SET') && path.endsWith('/d1') },
};

/**
 * Starts a copy, stops it in a phase, and gives its id.
 * @param recorded  files that have ended by then
 */
async function stoppedIn(
  pair: TwoClusters,
  phase: keyof typeof holds,
  signal: NodeJS.Signals,
  recorded = { planning: 0, copying: 3, finishing: 4 }[phase],
) {
  const { at, isHeld } = holds[phase];
  const held = new AbortController();
  const hold: React = (request) => {
    if (!isHeld(request)) return undefined;
    held.abort();
    return 'hang';
  };
  await using a = await FaultProxy.start(bed.a, {
    react: (request) => {
      if (request.operation === 'OPEN' && request.path.endsWith('/denied')) return refusal;
      return at === 'a' ? hold(request) : undefined;
    },
  });
  await using b = await FaultProxy.start(bed.b, { react: at === 'b' ? hold : () => undefined });
  const conf = pair.conf({ A: { url: a.url }, B: { url: b.url } });
  const args = ['copy', '--preserve', `A:${pair.root}/tree`, `B:${pair.root}/tree`];
  const { child, ended } = startCli(args, { conf, home: pair.home });
  while (!held.signal.aborted || recordedIn(pair.home) < recorded) await sleep(20);
  child.kill(signal);
  const result = await ended;
  const { stdout } = await pair.run(['jobs', '--json']);
  const { Job: job } = JSON.parse(stdout) as { Job: string };
  return { job, result };
}

/** Files whose end is recorded. */
const recordedIn = (home: string): number => {
  using db = new DatabaseSync(`${home}/jobs.db`, { readOnly: true, timeout: 5000 });
  const ended = "SELECT sum(value) AS files FROM counters WHERE name IN ('files.copied', 'files.failed')";
  return Number(db.prepare(ended).get()?.['files'] ?? 0);
};

const specIn = (home: string, job: string): JobSpec => {
  const db = new DatabaseSync(`${home}/jobs.db`, { readOnly: true });
  const row = db.prepare('SELECT json FROM jobs WHERE id = ?').get(job);
  db.close();
  return (JSON.parse(String(row?.['json'])) as { spec: JobSpec }).spec;
};

describe.each(['planning', 'copying', 'finishing'] as const)('a job that stopped while %s', (phase) => {
  describe.each(['SIGINT', 'SIGKILL'] as const)('by %s', (signal) => {
    test('is Interrupted, says how to go on, and is resumed to a status that adds up', async () => {
      const pair = await makeTree(`${phase}-${signal.toLowerCase()}`);
      const { job, result } = await stoppedIn(pair, phase, signal);
      const goOn = `interrupted; go on with: hdfs-fanout copy --resume ${job}`;
      if (signal === 'SIGINT') {
        expect(result.code).toBe(INTERRUPTED);
        expectOneLine(result, [goOn]);
        expect(result.status).toMatchObject({ Outcome: 'Interrupted', Phase: phase });
      }
      const seen = await pair.run(['status', job]);
      expectOneLine(seen, [goOn]);
      expect(seen.code).toBe(INTERRUPTED);
      expect(seen.status).toMatchObject({ Outcome: 'Interrupted', Phase: phase });
      expect(seen.status['Files Failed']).toBe(phase === 'planning' ? 0 : 1);

      // The file is refused still: it may not turn into a copied one.
      await using again = await FaultProxy.start(bed.a, {
        react: ({ operation, path }) => (operation === 'OPEN' && path.endsWith('/denied') ? refusal : undefined),
      });
      const refused = await pair.run(['copy', '--resume', job], { conf: pair.conf({ A: { url: again.url } }) });
      expect(refused.code, refused.stderr).toBe(SOME_FAILED);
      const counts = { 'Files Expected': 4, 'Files Skipped': 0, Phase: 'done' };
      expect(refused.status).toMatchObject({ ...counts, Outcome: 'Failed', 'Files Copied': 3, 'Files Failed': 1 });

      const mended = await pair.run(['copy', '--resume', job]);
      expect({ code: mended.code, stderr: mended.stderr }).toEqual({ code: 0, stderr: '' });
      expect(mended.status).toMatchObject({ ...counts, Outcome: 'Successful', 'Files Copied': 4, 'Files Failed': 0 });
      const { a, b } = await pair.trees();
      expect(b).toEqual(a);
    });
  });
});

describe('a resume with --force', () => {
  test('takes up what was refused and what no copier had reached, as its dry run says', async () => {
    const pair = await TwoClusters.make(bed, 'resume-force');
    const names = Array.from({ length: 40 }, (_, i) => `f${i}`);
    for (const name of names) {
      await pair.a.put(`${pair.root}/tree/${name}`, `new ${name}`);
      await pair.b.put(`${pair.root}/tree/${name}`, 'old');
    }
    const first = await pair.run([
      'copy',
      '--exact',
      '--max-failures',
      '3',
      '--threads',
      '1',
      `A:${pair.root}`,
      `B:${pair.root}`,
    ]);
    expect(first.code, first.stderr).toBe(STOPPED);
    const { Job: job } = first.status;
    const dry = await pair.run(['copy', '--dry-run', '--resume', job, '--force']);
    expect(dry.stdout.match(/^overwrite /gm)?.length).toBe(40);
    const resumed = await pair.run(['copy', '--resume', job, '--force']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.status).toMatchObject({ 'Files Expected': 40, 'Files Copied': 40, 'Files Failed': 0 });
    const { a, b } = await pair.trees();
    expect(b).toEqual(a);
  });

  test('does not overwrite its own source, which the first run could not', async () => {
    const pair = await TwoClusters.make(bed, 'resume-own-source');
    await pair.a.put(`${pair.root}/b/f`, 'the source');
    await pair.a.put(`${pair.root}/b/b/f`, 'another, longer file');
    const conf = pair.conf({ Alias: { url: bed.a.replace('localhost', '127.0.0.1') } });
    const first = await pair.run(['copy', '--exact', `A:${pair.root}/b`, `Alias:${pair.root}`], { conf });
    expect(first.code, first.stderr).toBe(SOME_FAILED);
    const before = await pair.a.tree(pair.root);
    const resumed = await pair.run(['copy', '--resume', first.status.Job, '--force'], { conf });
    expect(resumed.code, resumed.stdout).toBe(STOPPED);
    expect(resumed.stderr).toContain('holds its own source');
    expect(await pair.a.tree(pair.root)).toEqual(before);
  });
});

describe('a resume', () => {
  test('does not follow a name out of the tree that the plan refused', async () => {
    const pair = await TwoClusters.make(bed, 'resume-evil');
    await pair.a.put(`${pair.root}/tree/good`, 'good');
    await pair.a.put(`${pair.root}/evil`, 'evil');
    await using faultProxy = await FaultProxy.start(bed.a, {
      react: async ({ operation, path }) => {
        if (operation !== 'LISTSTATUS_BATCH' || !path.endsWith('/tree')) return undefined;
        const listing = await pair.a.call('GET', 'LISTSTATUS_BATCH', path);
        return { answer: { status: 200, body: listing.text.replace('"pathSuffix":"good"', '"pathSuffix":"../evil"') } };
      },
    });
    const conf = pair.conf({ A: { url: faultProxy.url } });
    const first = await pair.run(['copy', '--exact', `A:${pair.root}/tree`, `B:${pair.root}/tree`], { conf });
    expect(first.code, first.stderr).toBe(SOME_FAILED);
    const again = await pair.run(['copy', '--resume', first.status.Job, '--force'], { conf });
    expect(again.code, again.stdout).toBe(SOME_FAILED);
    expect(await pair.b.tree(pair.root)).toEqual({ '/tree/': '' });
  });

  test('of a successful job tells its status and does nothing', async () => {
    const pair = await makeTree('successful');
    const { status } = await pair.run(['copy', `A:${pair.root}/tree`, `B:${pair.root}/tree`]);
    await pair.b.remove(`${pair.root}/tree/denied`);
    const again = await pair.run(['copy', '--resume', status.Job]);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect(again.status).toEqual(status);
    expect(await pair.b.tree(`${pair.root}/tree`)).not.toHaveProperty(`${pair.root}/tree/denied`);
  });

  test('after the brake goes on with a higher --max-failures, which it keeps', async () => {
    const pair = await TwoClusters.make(bed, 'resume-brake');
    const { a, b, root } = pair;
    await b.call('PUT', 'SETPERMISSION', root, { permission: '777' });
    const names = Array.from({ length: 8 }, (_, i) => `f${i}`);
    await Promise.all(names.map((name) => a.put(`${root}/tree/${name}`, name, { permission: '600' })));
    const conf = pair.conf({ A: { user: 'mallory' }, B: { user: 'mallory' } });
    const paths = [`A:${root}/tree`, `B:${root}/tree`];
    const braked = await pair.run(['copy', '--max-failures', '2', '--threads', '1', ...paths], { conf });
    expect(braked.code).toBe(STOPPED);
    const job = braked.status.Job;
    expectOneLine(braked, ['3 files failed, more than the limit of 2', 'raise --max-failures, and resume', job]);
    expect((await pair.run(['copy', '--resume', job], { conf })).code).toBe(STOPPED);
    for (const flags of [['--max-failures', '100'], []]) {
      const past = await pair.run(['copy', '--resume', job, ...flags], { conf });
      expect(past.code, past.stderr).toBe(SOME_FAILED);
      expect(past.status).toMatchObject({ 'Files Failed': 8, Phase: 'done' });
    }
    const mended = await pair.run(['copy', '--resume', job]);
    expect(mended.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 8 });
  });

  test('stores what may change for the resumes after it', async () => {
    const pair = await makeTree('options');
    const { job } = await stoppedIn(pair, 'copying', 'SIGINT');
    const flags = ['--force', '--verify', 'length', '--threads', '3', '--max-failures', '7', '--part-size', '1024'];
    const { code, status } = await pair.run(['copy', '--resume', job, '--silent', ...flags]);
    expect({ code, verified: status.Verified['length'] }).toEqual({ code: 0, verified: expect.any(Number) as number });
    const changed = {
      existing: 'update',
      verify: 'length',
      threads: 3,
      maxFailures: 7,
      partSize: 1024,
      preserve: true,
    };
    expect(specIn(pair.home, job).options).toMatchObject(changed);
  });

  describe('refuses by name', () => {
    const stopped = makeTree('refused').then(async (pair) => ({
      pair,
      ...(await stoppedIn(pair, 'copying', 'SIGINT')),
    }));

    test.each([
      [['--exact'], ['--exact cannot change on a resume: the job keeps its own']],
      [['-p', '--direct'], ['--preserve and --direct cannot change on a resume']],
      [['--no-checksum'], ['--no-checksum cannot change on a resume']],
      [['-s', 'A'], ['--src cannot change on a resume']],
      [['--min-size', '0'], ['--min-size cannot change on a resume']],
      [['--include-pattern=*.csv', '--dry-run'], ['--include-pattern cannot change on a resume']],
      [['--threads', '-1'], ['options.threads']],
      [
        ['--verify', 'md5'],
        ['--verify', 'Allowed choices'],
      ],
      [['A:/x', 'B:/y'], ['--resume takes no paths']],
    ])('%s', async (flags, says) => {
      const { pair, job } = await stopped;
      await pair.expectRefused(['copy', '--resume', job, ...flags], { code: USAGE, says });
    });

    test.each(['nothing', '../jobs', '', 'a\u001b[31mb', '-x/../../y'])('the unknown job %j', async (id) => {
      const { pair } = await stopped;
      const before = readdirSync(pair.home, { recursive: true }).sort();
      const { stderr } = await pair.expectRefused(['copy', `--resume=${id}`], {
        code: USAGE,
        says: ['no job', 'hdfs-fanout jobs'],
      });
      expect(stderr).not.toContain('\u001b');
      expect(readdirSync(pair.home, { recursive: true }).sort()).toEqual(before);
    });
  });

  test('as a dry run tells what it would do to the unfinished files, and changes nothing', async () => {
    const pair = await makeTree('dry');
    const { job } = await stoppedIn(pair, 'copying', 'SIGINT');
    const before = await pair.trees();
    const status = (await pair.run(['status', job])).stdout;
    const dry = await pair.run(['copy', '--resume', job, '--dry-run']);
    expect({ code: dry.code, stderr: dry.stderr }).toEqual({ code: 0, stderr: '' });
    const line = (name: string) => `copy      ${pair.root}/tree/${name} -> ${pair.root}/tree/${name}`;
    expect(dry.stdout).toBe(`${line('d2/c')}\n${line('denied')}\nWould: copy 2 files, 10 B\n`);
    expect(await pair.trees()).toEqual(before);
    expect((await pair.run(['status', job])).stdout).toBe(status);
  });

  test('looks again at what planning refused, and overwrites with --force', async () => {
    const pair = await TwoClusters.make(bed, 'resume-conflict');
    const { a, b, root } = pair;
    await Promise.all([
      a.put(`${root}/tree/f`, 'new content'),
      a.put(`${root}/tree/g`, 'g'),
      b.put(`${root}/tree/f`, 'old'),
    ]);
    const first = await pair.run(['copy', '--exact', `A:${root}/tree`, `B:${root}/tree`]);
    expect(first.code).toBe(SOME_FAILED);
    const dry = await pair.run(['copy', '--resume', first.status.Job, '--dry-run', '--force']);
    expect(dry.stdout).toContain(`overwrite ${root}/tree/f`);
  });

  test('of a job that an earlier version stored, with its two switches and units without a kind', async () => {
    const pair = await TwoClusters.make(bed, 'resume-earlier');
    const { a, b, root } = pair;
    await Promise.all([
      a.put(`${root}/tree/d/f`, 'new content'),
      a.put(`${root}/tree/g`, 'g'),
      b.put(`${root}/out/f`, 'old'),
    ]);
    const first = await pair.run(['copy', '--exact', '--files-only', `A:${root}/tree`, `B:${root}/out`]);
    expect(first.status).toMatchObject({ 'Files Copied': 1, 'Files Failed': 1 });
    const { Job: job } = first.status;
    const db = new DatabaseSync(`${pair.home}/jobs.db`);
    const stored = JSON.parse(String(db.prepare('SELECT json FROM jobs').get()?.['json'])) as { spec: JobSpec };
    const { existing, ...options } = stored.spec.options;
    expect(existing).toBe('fail');
    const earlier = { ...stored, spec: { ...stored.spec, options: { force: true, checksum: true, ...options } } };
    db.prepare('UPDATE jobs SET json = ?').run(JSON.stringify(earlier));
    db.close();
    const file = `${pair.home}/manifests/${job}.jsonl`;
    const lines = readFileSync(file, 'utf8');
    expect(lines).toContain('"kind":"file"');
    writeFileSync(file, lines.replaceAll('"kind":"file",', '').replaceAll('"flatName":', '"to":'));
    const resumed = await pair.run(['copy', '--resume', job]);
    expect(resumed.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 2, 'Files Failed': 0 });
    expect(await b.tree(`${root}/out`)).toEqual({
      '/f': (await a.tree(`${root}/tree/d`))['/f'],
      '/g': (await a.tree(`${root}/tree`))['/g'],
    });
  });

  test('twice at once: one of them runs, the other says so', async () => {
    const pair = await makeTree('twice');
    const { job } = await stoppedIn(pair, 'copying', 'SIGINT');
    const both = await Promise.all([0, 1].map(() => pair.run(['copy', '--resume', job])));
    for (const { code, stderr } of both) {
      if (code !== 0) expect(stderr).toContain(`the job ${job} is running already`);
    }
    expect(both.map(({ code }) => code)).toContain(0);
    const { status } = await pair.run(['status', job]);
    expect(status).toMatchObject({ Outcome: 'Successful', 'Files Expected': 4, 'Files Copied': 4 });
  });

  describe('of a job whose manifest', () => {
    /** Twelve files make two lines. */
    const killed = async (name: string) => {
      const pair = await TwoClusters.make(bed, `resume-${name}`);
      const files = Array.from({ length: 12 }, (_, i) => pair.a.put(`${pair.root}/tree/f${i}`, `${i}`));
      await Promise.all([...files, pair.a.put(`${pair.root}/tree/d2/c`, 'c')]);
      const { job } = await stoppedIn(pair, 'copying', 'SIGKILL', 12);
      const file = `${pair.home}/manifests/${job}.jsonl`;
      return { pair, job, file, lines: readFileSync(file, 'utf8').trimEnd().split('\n') };
    };

    test('is gone is refused, with what to do', async () => {
      const { pair, job, file } = await killed('gone');
      rmSync(file);
      const says = [`the job ${job} has lost its manifest`, 'copy again with --force'];
      await pair.expectRefused(['copy', '--resume', job], { code: USAGE, says });
    });

    test('is cut short in a line could not go on', async () => {
      const { pair, job, file } = await killed('cut');
      writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
      const result = await pair.run(['copy', '--resume', job]);
      expectOneLine(result, [`the manifest of the job ${job} cannot be read`, 'cut short', 'copy anew with --force']);
      expect(result.code).toBe(STOPPED);
    });

    test('lacks a batch does not add up, and is never Successful', async () => {
      const { pair, job, file, lines } = await killed('lacking');
      expect(lines).toHaveLength(2);
      const kept = lines[1] ?? '';
      writeFileSync(file, `${kept}\n`);
      const result = await pair.run(['copy', '--resume', job]);
      expectOneLine(result, ['the job does not add up: 13 files were planned', 'copy anew with --force', job]);
      expect(result.code).toBe(STOPPED);
      expect(result.status).toMatchObject({ Outcome: 'Failed', Phase: 'finishing' });
      // With the batch back in its place it does.
      writeFileSync(file, `${lines.join('\n')}\n`);
      expect((await pair.run(['copy', '--resume', job])).status).toMatchObject({
        Outcome: 'Successful',
        'Files Copied': 13,
      });
    });
  });

  test('sweeps nothing of what was finished before', async () => {
    const pair = await TwoClusters.make(bed, 'resume-sweep');
    const files = Array.from({ length: 40 }, (_, i) => pair.a.put(`${pair.root}/tree/f${i}`, `${i}`));
    await Promise.all([...files, pair.a.put(`${pair.root}/tree/denied`, 'denied')]);
    await using refusing = await FaultProxy.start(bed.a, {
      react: ({ operation, path }) => (operation === 'OPEN' && path.endsWith('/denied') ? refusal : undefined),
    });
    const paths = [`A:${pair.root}/tree`, `B:${pair.root}/tree`];
    const failed = await pair.run(['copy', ...paths], { conf: pair.conf({ A: { url: refusing.url } }) });
    expect(failed.code).toBe(SOME_FAILED);
    await using b = await FaultProxy.start(bed.b);
    const mended = await pair.run(['copy', '--resume', failed.status.Job], {
      conf: pair.conf({ B: { url: b.url } }),
    });
    expect(mended.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 41 });
    // The names of the one batch that was opened again: seven files, few claims and tries.
    expect(b.count('DELETE')).toBeLessThan(60);
    expect(temporaryNames((await pair.trees()).b)).toEqual([]);
  });

  test('for one open file of 3,000 changes next to nothing but that file', async () => {
    const pair = await TwoClusters.make(bed, 'resume-open');
    const { a, root } = pair;
    await makeFiles(bed.rpcA, `${root}/tree`, 2999);
    const paths = [`A:${root}/tree`, `B:${root}/tree`];
    let job = '';
    {
      await using writer = await openFile(a, `${root}/tree/open`, 2000);
      expect(writer.listedBytes).toBe(0);
      const first = await pair.run(['copy', '--silent', ...paths]);
      expect(first.code, first.stderr).toBe(SOME_FAILED);
      expect(first.status).toMatchObject({ 'Files Copied': 2999, 'Files Failed': 1 });
      job = first.status.Job;
    }
    await using b = await FaultProxy.start(bed.b);
    const mended = await pair.run(['copy', '--silent', '--resume', job], { conf: pair.conf({ B: { url: b.url } }) });
    expect(mended.status).toMatchObject({ Outcome: 'Successful', 'Files Copied': 3000, 'Files Failed': 0 });
    expect(b.count('CREATE')).toBe(1);
    expect(b.requests.filter(({ operation }) => !/^(GET|LIST|OPEN|CHECK)/.test(operation)).length).toBeLessThan(50);
    expect(temporaryNames(await pair.b.tree(root))).toEqual([]);
  });
});
