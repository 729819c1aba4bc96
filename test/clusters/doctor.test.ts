import { describe, expect, it } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { Rows } from '../support/doctor.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { writeConf } from '../support/two-clusters.ts';

/** `hdfs-fanout doctor` on real clusters of every kind. */

const START_MS = 300_000;

/** @param changes  to the cluster's definition */
async function examine(cluster: Cluster, changes: Record<string, unknown>, path: string, user?: string) {
  const conf = writeConf(JSON.stringify({ clusters: [{ ...definitionOf(cluster, user), ...changes }] }));
  const { code, stdout } = await runCli(['doctor', cluster.name, path, '--json'], { conf });
  return { code, stdout, rows: Rows.in(stdout) };
}

describe('with Kerberos and TLS', () => {
  it.each(['GSSAPI', 'TKN_GSSAPI'])(
    'finds nothing wrong by %s',
    async (mechanism) => {
      const { code, rows, stdout } = await examine(
        await sharedCluster('K'),
        { auth_mechanism: mechanism },
        '/tmp',
        'alice',
      );
      expect(rows.in('failed'), stdout).toEqual([]);
      expect(code).toBe(0);
      expect(rows.text('authentication')).toBe(`ok: ${mechanism}: the server sees alice`);
      expect(rows.of('TLS')[0]?.found).toMatch(/^TLSv1\.\d, certificate of .* for \d+ more days$/);
      expect(rows.of('datanode')[0]?.found).toMatch(/^TLSv1\.\d, certificate of/);
      for (const name of ['write', 'rename', 'concat', 'delete', 'clock'] as const) {
        expect(rows.text(name)).toMatch(/^ok/);
      }
      expect(stdout).not.toMatch(/delegation|hadoop\.auth|Negotiate/);
    },
    START_MS,
  );

  it('says that tickets are asked for, without one', async () => {
    const none = { auth_mechanism: 'NONE', principal: undefined, keytab: undefined, krb5_conf: undefined };
    const { code, rows } = await examine(await sharedCluster('K'), none, '/tmp');
    expect(code).toBe(3);
    expect(rows.text('authentication')).toMatch(/^failed: NONE: .*\(it asks for Kerberos: set auth_mechanism/);
    expect(rows.in('failed')).toEqual(['authentication']);
  });

  it('says that the authority is not trusted', async () => {
    const { code, rows } = await examine(await sharedCluster('K'), { truststore: undefined }, '/tmp');
    expect(code).toBe(3);
    expect(rows.text('TLS')).toMatch(/^failed: its TLS certificate .*\(name the authority’s PEM file as truststore/);
    expect(rows.text('authentication')).toMatch(/^skipped: needs "TLS"/);
  });
});

it(
  'tells a certificate for another host, and for which',
  async () => {
    const { code, rows } = await examine(await sharedCluster('W'), {}, '/');
    expect(code).toBe(3);
    expect(rows.text('TLS')).toMatch(/^failed: its TLS certificate is for another host name: elsewhere\.test \(use/);
  },
  START_MS,
);

it(
  'tells the active namenode of two from the standby one, and works with it',
  async () => {
    const { code, rows } = await examine(await sharedCluster('H'), {}, '/');
    expect(rows.in('failed')).toEqual([]);
    expect(code).toBe(0);
    expect(
      rows
        .of('state')
        .map(({ found }) => found)
        .sort(),
    ).toEqual(['active', 'standby']);
    expect(rows.text('write')).toMatch(/^ok/);
  },
  START_MS,
);

it(
  'tells HttpFS, which passes all bytes and replaces in two steps',
  async () => {
    const a = await sharedCluster('A');
    const urls = [a.httpfs?.url ?? ''];
    const hdfs = new TestHdfs(a.namenodeUrl);
    await hdfs.mkdirs('/doctor');
    const { code, rows, stdout } = await examine(a, { nameservices: [{ urls, mounts: ['/'] }] }, '/doctor');
    expect(rows.in('failed'), stdout).toEqual([]);
    expect(code).toBe(0);
    expect(rows.text('version')).toMatch(/^ok: HttpFS, /);
    expect(rows.text('datanode')).toBe('skipped: HttpFS passes all bytes itself');
    expect(rows.text('rename')).toBe('ok: replaces a file in two steps: HttpFS cannot in one');
    expect(await hdfs.tree('/doctor')).toEqual({});
  },
  START_MS,
);
