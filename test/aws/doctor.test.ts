import { randomBytes } from 'node:crypto';
import { beforeAll, expect, inject, test } from 'vitest';
import { Rows } from '../support/doctor.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { closedPort } from '../support/scripted-server.ts';
import { Cloud } from './cloud.ts';

/** `hdfs-fanout doctor --stack`: the same table, from where copiers run. */

const bed = inject('bed');
const cloud = new Cloud(inject('aws'));
let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(bed, 'doctor-aws');
});

async function examine(...args: string[]): Promise<{ code: number | null; stdout: string; rows: Rows }> {
  const { code, stdout, stderr } = await cloud.run('doctor', ...args, '--json');
  if (stderr !== '') throw new Error(stderr);
  return { code, stdout, rows: Rows.in(stdout) };
}

test('a cluster in order is found in order by the Lambda, in a table, and is left as it was', async () => {
  const { code, stdout, stderr } = await cloud.run('doctor', 'A', '/doctor-aws');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ok +version +localhost:\d+ +WebHDFS, Hadoop /m);
  expect(stdout).toMatch(/^ok +delete +localhost:\d+/m);
  expect(stdout).toMatch(/^15 ok, 0 warning, 0 failed, 1 skipped$/m);
  expect(await pair.a.tree('/doctor-aws')).toEqual({});
});

test('what is wrong ends with 3', async () => {
  const { url, host } = await closedPort();
  await cloud.push({ patient: { url } });
  const { code, rows } = await examine('patient');
  expect(code).toBe(3);
  expect(rows.text('connection', host)).toMatch(/^failed: connection refused/);
});

test('the Lambda has the credential that was pushed, and tells no one', async () => {
  const token = `HgAEcm9vdARyb290AIoBm${randomBytes(24).toString('hex')}`;
  const queries: string[] = [];
  await using faultProxy = await FaultProxy.start(bed.a, { react: ({ query }) => void queries.push(query) });
  await cloud.push({ patient: { url: faultProxy.url, auth_mechanism: 'TOKEN', token } });
  const { code, stdout, rows } = await examine('patient', '/doctor-aws', '--read-only');
  expect(code).toBe(0);
  expect(rows.text('authentication')).toBe('ok: TOKEN: the server sees root');
  expect(queries.some((query) => query.includes(token))).toBe(true);
  expect(stdout).not.toContain(token);
});

test('a cluster that the deployment does not have is wrong usage', async () => {
  const { code, stderr, stdout } = await cloud.run('doctor', 'nowhere');
  expect(code).toBe(2);
  expect(stderr).toMatch(/the deployment has no cluster "nowhere" \(it has A, B/);
  expect(stdout).toBe('');
});
