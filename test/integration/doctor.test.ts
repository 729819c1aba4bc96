import { beforeAll, describe, expect, inject, it } from 'vitest';
import { startBed } from '../bed/bed.ts';
import { Rows } from '../support/doctor.ts';
import { dfsAdmin } from '../support/dfs-admin.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TwoClusters } from '../support/two-clusters.ts';
import { closedPort } from '../support/scripted-server.ts';

/** `hdfs-fanout doctor` on a real cluster. */

let pair: TwoClusters;

beforeAll(async () => {
  pair = await TwoClusters.make(inject('bed'), 'doctor');
  await pair.a.put('/doctor/file', 'content');
});

const examine = async (cluster: string, path: string, conf?: string) => {
  const result = await pair.run(['doctor', cluster, path, '--json'], conf === undefined ? {} : { conf });
  return { code: result.code, rows: Rows.in(result.stdout) };
};

describe('hdfs-fanout doctor', () => {
  it('finds nothing wrong with a cluster in order, in a table of 80 columns, and leaves nothing behind', async () => {
    const before = await pair.a.tree(pair.root);
    const { code, stdout, stderr } = await pair.run(['doctor', 'A', '/doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/^ok +version +localhost:\d+ +WebHDFS, Hadoop 3\.4\.2$/m);
    expect(stdout).toMatch(/^ok +datanode +localhost:\d+ +TCP in \d+ ms$/m);
    for (const name of ['write', 'rename', 'concat', 'delete', 'quota', 'space', 'clock']) {
      expect(stdout).toMatch(new RegExp(`^ok +${name} `, 'm'));
    }
    expect(stdout).toMatch(/^15 ok, 0 warning, 0 failed, 1 skipped$/m);
    expect(await pair.a.tree(pair.root)).toEqual(before);
  });

  it('tells the same as JSON, with a summary', async () => {
    const { code, stdout } = await pair.run(['doctor', 'A', '/doctor', '--read-only', '--json']);
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(events[0]).toMatchObject({
      type: 'check',
      name: 'name',
      state: 'ok',
      found: expect.stringMatching(/127/) as string,
    });
    expect(events.at(-1)).toEqual({ type: 'summary', ok: 11, warning: 0, failed: 0, skipped: 5 });
  });

  it('ends with 3 for a wrong port, and says so', async () => {
    const { url, host } = await closedPort();
    const { code, rows } = await examine('A', '/doctor', pair.conf({ A: { url } }));
    expect(code).toBe(3);
    expect(rows.text('connection', host)).toMatch(/^failed: connection refused \(correct the port/);
    expect(rows.in('failed')).toEqual(['connection']);
  });

  it('tells a user who may not write to PATH, and what the cluster says', async () => {
    const { code, rows } = await examine('A', '/doctor', pair.conf({ A: { user: 'mallory' } }));
    expect(code).toBe(3);
    expect(rows.text('authentication')).toBe('ok: NONE: the server sees mallory');
    expect(rows.text('write')).toMatch(
      /^failed: AccessControlException: Permission denied: user=mallory, access=WRITE/,
    );
    expect(rows.in('failed')).toEqual(['write']);
    expect(rows.text('space')).toMatch(/^ok/);
  });

  it('tells a datanode whose name does not resolve', async () => {
    const location = (url: string) => url.replace(/\/\/[^/:]+/, '//datanode-7.invalid');
    // As where JMX is closed: only redirects tell of datanodes.
    const jmx = { answer: { status: 403, body: 'no' } };
    await using faultProxy = await FaultProxy.start(inject('bed').a, {
      react: ({ operation }) => (operation === '' ? jmx : { location }),
    });
    const { code, rows } = await examine('A', '/doctor', pair.conf({ A: { url: faultProxy.url } }));
    expect(code).toBe(3);
    expect(rows.text('datanode')).toMatch(/^failed: the host name .*resolve.*\(make the names of the datanodes/);
    expect(rows.text('version')).toBe('ok: WebHDFS, Hadoop of unknown version');
    expect(rows.text('write')).toMatch(/^failed: .*host name/);
    expect(rows.text('delete')).toMatch(/^ok/);
  });

  it('tells safe mode, told by JMX and found out without', async () => {
    // A cluster of its own: the shared ones are written to all the time.
    await using bed = await startBed({ clusters: [{ name: 'S' }] });
    const { namenodeUrl, rpc } = bed.clusters.S;
    await new TestHdfs(namenodeUrl).put('/doctor/file', 'content');
    await dfsAdmin(rpc, '-safemode', 'enter');
    const jmx = { answer: { status: 403, body: 'no' } };
    for (const closed of [false, true]) {
      await using faultProxy = await FaultProxy.start(namenodeUrl, {
        react: ({ operation }) => (closed && operation === '' ? jmx : undefined),
      });
      const { code, rows } = await examine('S', '/doctor', pair.conf({ S: { url: faultProxy.url } }));
      expect(code).toBe(3);
      expect(rows.text('state')).toMatch(/^failed: active, in safe mode/);
      expect(rows.text('write')).toBe('skipped: the namenode is in safe mode');
      expect(rows.text('datanode')).toMatch(/^ok/);
    }
  });

  it.each([
    [['doctor'], /missing required argument 'cluster'/],
    [['doctor', 'nowhere'], /no cluster "nowhere" in .* \(it defines A, B/],
    [['doctor', 'A', '--stack', 'X', '--conf', 'Y'], /--conf and --stack do not go together/],
  ])('%j is wrong usage', async (args, says) => {
    const { code, stderr, stdout } = await pair.run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
    expect(stdout).toBe('');
  });

  it('helps with examples and exit codes', async () => {
    const { code, stdout } = await pair.run(['doctor', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('hdfs-fanout doctor prod /data/incoming --stack HdfsFanout');
    expect(stdout).toMatch(/3 +a check failed/);
  });
});
