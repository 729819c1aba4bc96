import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, inject, test } from 'vitest';
import { silentLog } from '../../shared/log.ts';
import { S3FileLines } from '../../shared/aws/s3-file-lines.ts';
import { type Report, reportSchema } from '../../shared/report/report.ts';
import { allOf } from '../support/files.ts';
import { copied, skipped } from '../support/outcomes.ts';
import { inTrash } from '../support/mirror.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { Cloud } from './cloud.ts';
import { clientsOf, newBucket } from './support.ts';

/** What the report of a job in AWS says, and what its commands do. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
const MINUTES = 60_000;

async function reportOf(job: string): Promise<Report> {
  const { code, stdout, stderr } = await cloud.run('report', job, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return reportSchema.parse(JSON.parse(stdout));
}

test(
  'the report of a job in AWS knows each file, and its command tries the files of one cause again',
  async () => {
    const { a, b, root } = await TwoClusters.make(bed, 'aws-report');
    const [source, destination] = [`${root}/tree`, `${root}/copy`];
    for (const file of ['new', 'deep/new', 'taken', 'directory']) await a.put(`${source}/${file}`, file);
    await b.put(`${destination}/taken`, 'another');
    await b.mkdirs(`${destination}/directory`);
    const first = await cloud.run('start', '--wait', '--exact', `A:${source}`, `B:${destination}`);
    expect(first.code, first.stderr).toBe(1);
    const { Job: id } = first.status;
    const report = await reportOf(id);
    expect(report.sums.map(({ what, files }) => [what, files])).toEqual([
      ['copied', 2],
      ['skipped', 0],
      ['failed', 2],
    ]);
    expect(report.known).toEqual({ files: 2, missing: 0 });
    expect(report.largest.map(({ path }) => path).sort()).toEqual([`${source}/deep/new`, `${source}/new`]);
    expect(report.startedBy).toMatch(/^arn:aws:states:/);
    expect(report.failures).toHaveLength(2);
    const taken = report.failures.find(({ examples }) => examples[0]?.path.endsWith('/taken'));
    expect(taken?.again).toMatch(new RegExp(`^hdfs-fanout retry ${id} --only '.*' --stack \\S+$`));
    const unknown = await cloud.run('retry', id, '--only', 'PLAN: another');
    expect(unknown.code).toBe(2);
    for (const { cause } of report.failures) expect(unknown.stderr).toContain(cause);
    await b.remove(`${destination}/taken`);
    await b.remove(`${destination}/directory`);
    const again = await cloud.run('retry', id, '--wait', '--only', taken?.cause ?? '');
    expect(again.code, again.stderr).toBe(1);
    expect(again.status).toMatchObject({ 'Files Copied': 3, 'Files Failed': 1 });
    expect(Object.keys(await b.tree(destination))).toEqual(['/deep/', '/deep/new', '/new', '/taken']);
    const after = await reportOf(id);
    expect(after.known).toEqual({ files: 3, missing: 0 });
    expect(after.failures.map(({ examples }) => examples[0]?.path)).toEqual([`${source}/directory`]);
  },
  5 * MINUTES,
);

test(
  'the report of a mirror in AWS tells where the trash holds what was deleted',
  async () => {
    const { a, b, root } = await TwoClusters.make(bed, 'aws-report-mirror');
    const [source, mirror] = [`${root}/tree`, `${root}/mirror`];
    await a.put(`${source}/a`, 'a');
    await b.put(`${mirror}/b`, 'b');
    const { code, status, stderr } = await cloud.run(
      'start',
      '--wait',
      '--exact',
      '--delete',
      '--max-delete',
      '50%',
      `A:${source}`,
      `B:${mirror}`,
    );
    expect(code, stderr).toBe(0);
    const { deletions } = await reportOf(status.Job);
    expect(deletions.listed).toEqual([{ path: `${mirror}/b`, bytes: 1, trash: `${inTrash(mirror)}/b` }]);
  },
  5 * MINUTES,
);

const timing = { path: '/in/file', endedAtMs: 1_700_000_000_000, tookMs: 5 };

test('lines are in the bucket once, however often they are written, and more than an object holds', async () => {
  const clients = clientsOf(inject('aws'));
  const { s3 } = clients;
  const bucket = await newBucket(clients);
  const lines = new S3FileLines(s3, bucket);
  const one = lines.writer('job', '0.me', silentLog);
  for (let unit = 0; unit < 7; unit++) {
    one.add({ ...copied(unit), timing });
    await one.flush();
    await one.flush();
  }
  const other = lines.writer('job', '0.you', silentLog);
  for (let unit = 0; unit < 12_000; unit++) other.add({ ...skipped(unit), timing });
  await other.flush();
  await lines.writer('job-2', '0.me', silentLog).flush();
  expect(await allOf(lines.fileLines('job'))).toHaveLength(12_007);
  expect(await allOf(lines.fileLines('job-2'))).toEqual([]);
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  expect(Contents.map(({ Key }) => Key).sort()).toEqual(
    ['lines/job/0.me.0', 'lines/job/0.you.0', 'lines/job/0.you.1', 'lines/job/0.you.2'].map((key) => `${key}.jsonl.gz`),
  );
});

test('lines that cannot be written are a warning, and nothing fails', async () => {
  const { s3 } = clientsOf(inject('aws'));
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  const writer = new S3FileLines(s3, 'no-such-bucket-of-this-test').writer('job', '0.me', log);
  writer.add({ ...copied(0), timing });
  await writer.flush();
  expect(warnings).toEqual(['lines for the report are not written']);
});
