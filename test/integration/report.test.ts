import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type Report, reportSchema } from '../../shared/report/report.ts';
import { Browser } from '../support/browser.ts';
import { type CliResult, startCli } from '../support/cli.ts';
import { FaultProxy, type Reaction } from '../support/fault-proxy.ts';
import { inTrash, Mirror } from '../support/mirror.ts';
import { TwoClusters } from '../support/two-clusters.ts';

/** What a job's report says, and what its commands do. */

const bed = inject('bed');
/** Two directories and a name, to a namenode. */
const SCRIPT = '<script>alert(1)</script>';
const ODD = ['🐘 elephant', `"quoted" & 'so'`, SCRIPT];
const DENIED = {
  RemoteException: { exception: 'AccessControlException', message: 'Permission denied: user=root, access=READ' },
};

const directory = () => mkdtempSync(join(tmpdir(), 'hdfs-fanout-report-'));

async function reportOf(pair: TwoClusters, job: string): Promise<Report> {
  const { code, stdout, stderr } = await pair.run(['report', job, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return reportSchema.parse(JSON.parse(stdout));
}

/** The words of a command, as a shell takes it apart. */
function wordsOf(command: string): string[] {
  const printed = execFileSync('sh', ['-c', `set -- ${command}; printf '%s\\0' "$@"`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}

/** A job of which two files are denied, two exist already, and one is cut off at its first try. */
async function withFailures(name: string): Promise<{ pair: TwoClusters; result: CliResult }> {
  const pair = await TwoClusters.make(bed, name);
  const { a, b, root } = pair;
  for (const file of [...ODD, 'cut', 'denied/1', 'denied/2', 'taken/1', 'taken/2'])
    await a.put(`${root}/tree/${file}`, `the content of ${file}`);
  for (const file of ['taken/1', 'taken/2']) await b.put(`${root}/tree/${file}`, 'another');
  let isCut = false;
  const react = ({ operation, path, to }: { operation: string; path: string; to: string }): Reaction | undefined => {
    if (operation !== 'OPEN') return undefined;
    if (path.includes('/denied/')) return { answer: { status: 403, body: JSON.stringify(DENIED) } };
    if (!path.endsWith('/cut') || to !== 'datanode' || isCut) return undefined;
    isCut = true;
    return 'cut-before';
  };
  await using faultProxy = await FaultProxy.start(bed.a, { datanodes: true, react });
  const args = ['copy', '--silent', '--exact', `A:${root}/tree`, `B:${root}/tree`];
  return { pair, result: await pair.run(args, { conf: pair.conf({ A: { url: faultProxy.url } }) }) };
}

describe('the report of a job in which files failed', () => {
  let pair: TwoClusters;
  let result: CliResult;
  let report: Report;
  beforeAll(async () => {
    ({ pair, result } = await withFailures('report-failures'));
    report = await reportOf(pair, result.status.Job);
  });

  test('adds up, and tells what became of every file', () => {
    expect(result.code).toBe(1);
    expect(report.sums).toEqual([
      { what: 'copied', files: ODD.length + 1, bytes: result.status['Size Copied'] },
      { what: 'skipped', files: 0, bytes: 0 },
      { what: 'failed', files: 4, bytes: result.status['Size Failed'] },
    ]);
    expect(report.status).toEqual({ ...result.status });
    const total = report.sums.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBe(result.status['Size Expected']);
    expect(report.known).toEqual({ files: ODD.length + 1, missing: 0 });
    expect(report.timeline.steps.reduce((sum, { files }) => sum + files, 0)).toBe(ODD.length + 1);
    expect(report.timeline.steps.reduce((sum, { bytes }) => sum + bytes, 0)).toBeCloseTo(
      result.status['Size Copied'],
      -1,
    );
    expect(report.largest.map(({ path }) => path).sort()).toEqual(
      [...ODD, 'cut'].map((file) => `${pair.root}/tree/${file}`).sort(),
    );
    expect(report.startedBy).toMatch(/^\w+@\S+$/);
  });

  test('tells where a try failed', () => {
    const { retries } = report.slowest.find(({ path }) => path.endsWith('/cut')) ?? {};
    expect(retries).toBe(1);
    // The proxy, which stands before the datanodes as well, has refused two files for good.
    expect(report.hosts.filter(({ failedTries }) => failedTries > 0)).toMatchObject([
      { host: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string, failedTries: 3 },
    ]);
  });

  test('groups failures by their cause', () => {
    expect(report.failures.map(({ cause, files }) => [cause.split(':')[0], files])).toEqual(
      expect.arrayContaining([
        ['OPEN', 2],
        ['PLAN', 2],
      ]),
    );
    expect(report.failures).toHaveLength(2);
    for (const { cause } of report.failures) expect(cause).not.toContain(pair.root);
  });

  test('is a page of its own, and a file that is whole or absent', async () => {
    const file = join(directory(), 'page.html');
    const made = await pair.run(['report', result.status.Job, '-o', file]);
    expect({ code: made.code, stdout: made.stdout }).toEqual({ code: 0, stdout: '' });
    expect(made.stderr).toBe(`hdfs-fanout: the report of the job ${result.status.Job} is in ${file}\n`);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).not.toMatch(/<script|https?:|src=|href=|style="/i);
    expect(readdirSync(join(file, '..'))).toEqual(['page.html']);
    const toNowhere = await pair.run(['report', result.status.Job, '-o', '/no-such-directory/page.html']);
    expect(toNowhere.code).toBe(2);
    expect(toNowhere.stderr).toMatch(/^hdfs-fanout: --output \/no-such-directory\/page\.html: [^\n]+\n$/);
    const unknown = await pair.run(['report', 'no-such-job']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('no job no-such-job');
    expect(existsSync('hdfs-fanout-no-such-job.html')).toBe(false);
  });

  test('looks well in a browser, which asks for nothing and runs nothing', async () => {
    const file = join(directory(), 'page.html');
    await pair.run(['report', result.status.Job, '-o', file]);
    await using browser = await Browser.start();
    const backgrounds = new Set<unknown>();
    for (const scheme of ['light', 'dark'] as const) {
      for (const width of [1280, 400]) {
        await browser.open(file, { width, scheme });
        expect(browser.requests).toEqual([`file://${file}`]);
        expect(browser.complaints).toEqual([]);
        const wide = await browser.evaluate('document.documentElement.scrollWidth');
        expect(wide).toBe(width);
        const cut = `[...document.querySelectorAll('main *')].filter((each) => each.getBoundingClientRect().right > ${width}).map((each) => each.outerHTML)`;
        expect(await browser.evaluate(cut)).toEqual([]);
        expect(await browser.evaluate('document.scripts.length')).toBe(0);
        backgrounds.add(await browser.evaluate('getComputedStyle(document.body).backgroundColor'));
        const text = String(await browser.evaluate('document.body.innerText'));
        for (const name of ODD) expect(text).toContain(name);
        expect((await browser.screenshot()).length).toBeGreaterThan(10_000);
      }
    }
    expect(backgrounds.size).toBe(2);
  });
});

test('the command of a cause tries its files again and no others, and what it is not told to stays failed', async () => {
  const { pair, result } = await withFailures('report-only');
  const { b, root } = pair;
  const id = result.status.Job;
  const { failures } = await reportOf(pair, id);
  const [name, ...args] = wordsOf(failures.find(({ cause }) => cause.startsWith('OPEN'))?.again ?? '');
  expect(name).toBe('hdfs-fanout');
  const unknown = await pair.run(['copy', '--resume', id, '--only', 'OPEN: another']);
  expect({ code: unknown.code, stdout: unknown.stdout }).toEqual({ code: 2, stdout: '' });
  for (const { cause } of failures) expect(unknown.stderr).toContain(cause);
  const dry = await pair.run([...args, '--dry-run']);
  expect(dry.stdout).toContain('/denied/1');
  expect(dry.stdout).not.toContain('/taken/');
  const again = await pair.run([...args, '--silent', '--json']);
  expect(again.code).toBe(1);
  expect(again.status).toMatchObject({
    'Files Copied': ODD.length + 3,
    'Files Failed': 2,
    'Files Expected': ODD.length + 5,
  });
  expect(again.stdout).not.toContain('/taken/');
  expect((await b.get(`${root}/tree/denied/1`)).toString()).toBe('the content of denied/1');
  const after = await reportOf(pair, id);
  expect(after.failures.map(({ cause, files }) => [cause.split(':')[0], files])).toEqual([['PLAN', 2]]);
  expect(after.known).toEqual({ files: ODD.length + 3, missing: 0 });
  const rest = await pair.run(['copy', '--resume', id, '--silent', '--force']);
  expect(rest.code).toBe(0);
  expect((await reportOf(pair, id)).failures).toEqual([]);
});

test('--only is refused without --resume', async () => {
  const pair = await TwoClusters.make(bed, 'report-only-usage');
  await pair.expectRefused(['copy', '--only', 'any', `A:${pair.root}`, `B:${pair.root}`], {
    code: 2,
    says: ['--only needs --resume'],
  });
});

test('the report of a mirror tells what was deleted, and where the trash holds it', async () => {
  const mirror = await Mirror.make(bed, 'report-mirror', ['a', 'both/b'], ['both/new', 'extra/1', 'extra/2']);
  const { status } = await mirror.copy(['--delete']);
  const { deletions, status: told, known } = await reportOf(mirror.pair, status.Job);
  expect(told['Files Deleted']).toBe(3);
  expect(deletions.more).toBe(0);
  const trash = inTrash(mirror.mirror);
  expect(deletions.listed).toEqual(
    ['both/new', 'extra'].map((path) => ({
      path: `${mirror.mirror}/${path}`,
      bytes: expect.any(Number) as number,
      trash: `${trash}/${path}`,
    })),
  );
  expect(deletions.trashes).toEqual([{ directory: '/user/root/.Trash/Current', entries: 2 }]);
  // Planning saw that they are unchanged: no line is missing.
  expect(known.missing).toBe(0);
  const forGood = await Mirror.make(bed, 'report-for-good', ['a'], ['b']);
  const { status: gone } = await forGood.copy(['--delete', '--skip-trash']);
  expect((await reportOf(forGood.pair, gone.Job)).deletions).toMatchObject({
    listed: [{ path: `${forGood.mirror}/b` }],
    trashes: [],
  });
});

test('the report of a mirror with backups tells where what was deleted is kept, and never says that it is gone', async () => {
  const mirror = await Mirror.make(bed, 'report-backup', ['a'], ['extra/1', 'b']);
  const backups = `${mirror.pair.root}/kept`;
  const { status } = await mirror.copy(['--delete', '--backup-dir', backups]);
  const { deletions } = await reportOf(mirror.pair, status.Job);
  expect(deletions).toEqual({
    listed: ['b', 'extra'].map((path) => ({
      path: `${mirror.mirror}/${path}`,
      bytes: expect.any(Number) as number,
      backup: `${backups}/${status.Job}/${path}`,
    })),
    more: 0,
    trashes: [],
  });
  const { stdout } = await mirror.pair.run(['report', status.Job, '-o', '-']);
  expect(stdout).toContain(`kept under ${backups}/${status.Job}`);
  expect(stdout).not.toMatch(/for good|not known|trash/i);
});

test('the report of a job that was killed tells what was not reached, and after a resume each file once', async () => {
  const pair = await TwoClusters.make(bed, 'report-killed');
  const { a, root } = pair;
  const FILES = 40;
  for (let index = 0; index < FILES; index++) await a.put(`${root}/tree/${index}`, Buffer.alloc(2 ** 16, 'killed'));
  const args = ['copy', '--json', '--exact', '--copiers', '1', '--threads', '2', `A:${root}/tree`, `B:${root}/tree`];
  const options = { conf: pair.conf(), home: pair.home };
  const { child, ended } = startCli([...args, '--bandwidth', '512K'], options);
  await new Promise<void>((resolve) =>
    child.stdout?.on('data', (text: string) => text.includes('"file"') && resolve()),
  );
  child.kill('SIGKILL');
  await ended;
  const [job] = (await pair.run(['jobs', '--json'])).stdout.split('\n');
  const { Job: id } = JSON.parse(job ?? '') as { Job: string };
  const killed = await reportOf(pair, id);
  expect(killed.status['Outcome']).toBe('Interrupted');
  expect(killed.known.missing).toBe(0);
  expect(killed.known.files).toBeGreaterThan(0);
  expect(killed.sums.at(-1)).toMatchObject({ what: 'not reached', files: FILES - killed.known.files });
  expect(killed.sums.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(FILES * 2 ** 16);
  const resumed = await pair.run(['copy', '--resume', id, '--silent', '--bandwidth', 'off']);
  expect(resumed.code).toBe(0);
  const { known, sums } = await reportOf(pair, id);
  expect(known).toEqual({ files: FILES, missing: 0 });
  expect(sums[0]).toMatchObject({ what: 'copied', files: FILES });
});

test('a report is written through a link and into a pipe, and takes the place of no device', async () => {
  const pair = await TwoClusters.make(bed, 'report-places');
  await pair.a.put(`${pair.root}/tree/file`, 'file');
  const { status } = await pair.run(['copy', '--silent', `A:${pair.root}/tree`, `B:${pair.root}/copy`]);
  const place = directory();
  writeFileSync(join(place, 'old.html'), 'old');
  symlinkSync('old.html', join(place, 'link.html'));
  expect((await pair.run(['report', status.Job, '-o', join(place, 'link.html')])).code).toBe(0);
  expect(lstatSync(join(place, 'link.html')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(place, 'old.html'), 'utf8')).toContain('<!doctype html>');
  const before = lstatSync('/dev/stdout');
  expect((await pair.run(['report', status.Job, '-o', '-'])).stdout).toContain('<!doctype html>');
  // Here it is a socket, which cannot be opened by a name.
  await pair.run(['report', status.Job, '-o', '/dev/stdout']);
  expect((await pair.run(['report', status.Job, '-o', '/dev/null'])).code).toBe(0);
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  expect(lstatSync('/dev/stdout').ino).toBe(before.ino);
  const taken = await pair.run(['report', status.Job, '-o', place]);
  expect(taken.code).toBe(2);
  expect(readdirSync(place).sort()).toEqual(['link.html', 'old.html']);
});

test('the report of a job of an earlier version says that times and sizes are not known', async () => {
  const pair = await TwoClusters.make(bed, 'report-earlier');
  await pair.a.put(`${pair.root}/tree/file`, 'file');
  const { status } = await pair.run(['copy', '--silent', `A:${pair.root}/tree`, `B:${pair.root}/copy`]);
  const database = new DatabaseSync(join(pair.home, 'jobs.db'));
  database.exec('DROP TABLE file_lines');
  database.close();
  expect((await reportOf(pair, status.Job)).known).toEqual({ files: 0, missing: 1 });
  expect((await pair.run(['report', status.Job, '-o', '-'])).stdout).toContain(
    'an earlier version of hdfs-fanout ran it',
  );
});

test('the report of a job with chunks and several processes knows each file once', async () => {
  const pair = await TwoClusters.make(bed, 'report-chunks');
  const { a, root } = pair;
  const long = Buffer.alloc(3 * 2 ** 20, 'long');
  await a.put(`${root}/tree/long`, long);
  for (let index = 0; index < 20; index++) await a.put(`${root}/tree/${index}`, 'short');
  const flags = [
    '--silent',
    '--exact',
    '--copiers',
    '2',
    '--split-above',
    String(2 ** 20),
    '--chunk-size',
    String(2 ** 20),
  ];
  const { code, status } = await pair.run(['copy', ...flags, `A:${root}/tree`, `B:${root}/tree`]);
  expect(code).toBe(0);
  const { known, timeline, sizes, largest } = await reportOf(pair, status.Job);
  expect(known).toEqual({ files: 21, missing: 0 });
  expect(timeline.steps.reduce((sum, { files }) => sum + files, 0)).toBe(21);
  // The bytes of a file that was put together are those of its chunks.
  expect(timeline.steps.reduce((sum, { bytes }) => sum + bytes, 0)).toBeCloseTo(status['Size Copied'], -2);
  expect(sizes.reduce((sum, { files }) => sum + files, 0)).toBe(21);
  expect(largest[0]).toMatchObject({ path: `${root}/tree/long`, bytes: long.length });
});
