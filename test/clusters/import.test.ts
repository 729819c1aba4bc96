import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { runCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { TestHdfs } from '../support/hdfs.ts';

/** `hdfs-fanout clusters import` of the configuration that real daemons run with. */

let [a, h, k]: Cluster[] = [];
let directory: string;
beforeAll(async () => {
  [a, h, k] = await Promise.all([sharedCluster('A'), sharedCluster('H'), sharedCluster('K')]);
  directory = mkdtempSync(join(tmpdir(), 'import-'));
}, 300_000);

const configurationOf = (cluster: Cluster | undefined) =>
  cluster?.daemons.find(({ kind }) => kind === 'namenode')?.configuration ?? '';
const importInto = (conf: string, cluster: Cluster | undefined, name: string, ...more: string[]) =>
  runCli(['clusters', 'import', configurationOf(cluster), '--name', name, ...more], { conf });
const definitions = (conf: string) =>
  (JSON.parse(readFileSync(conf, 'utf8')) as { clusters: Record<string, unknown>[] }).clusters;

describe('hdfs-fanout clusters', () => {
  it('imports two clusters, one of them with HA, between which a copy then goes', async () => {
    const conf = join(directory, 'two.cfg');
    const first = await importInto(conf, a, 'staging');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toBe(`staging (${a?.namenodeUrl ?? ''}) is in ${conf}\ntry it: hdfs-fanout doctor staging\n`);
    expect(statSync(conf).mode & 0o777).toBe(0o600);
    expect(await importInto(conf, h, 'prod')).toMatchObject({ code: 0, stderr: '' });
    expect(definitions(conf)[1]).toEqual({
      name: 'prod',
      auth_mechanism: 'NONE',
      nameservices: [{ name: expect.any(String) as string, urls: h?.namenodes.map(({ url }) => url), mounts: ['/'] }],
    });
    const checked = await runCli(['clusters', 'check'], { conf });
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout.split('\n').map((line) => line.split(/ +/)[1])).toEqual(['staging', 'prod', undefined]);
    const from = new TestHdfs(a?.namenodeUrl ?? '');
    await from.put('/import/file', 'content');
    const copied = await runCli(['copy', '--exact', 'staging:/import', 'prod:/imported', '--json'], { conf });
    expect(copied.code).toBe(0);
    const names = h?.namenodes.map(({ url }) => new TestHdfs(url)) ?? [];
    const trees = await Promise.all(names.map((namenode) => namenode.tree('/imported').catch(() => undefined)));
    expect(trees).toContainEqual(await from.tree('/import'));
  });

  it('refuses a name that is taken, replaces it when told to, and leaves all others as they were written', async () => {
    const real = join(directory, 'real.cfg');
    const conf = join(directory, 'link.cfg');
    const other = {
      name: 'other',
      password: 's3cret',
      user: 'me',
      auth_mechanism: 'BASIC',
      nameservices: [{ urls: ['http://x:1'], mounts: ['/'] }],
    };
    writeFileSync(
      real,
      JSON.stringify({ clusters: [other, { ...other, name: 'prod' }], configuration: { logging: { level: 'ERROR' } } }),
    );
    chmodSync(real, 0o640);
    symlinkSync(real, conf);
    const before = readFileSync(real, 'utf8');
    const refused = await importInto(conf, h, 'prod');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toBe(
      `hdfs-fanout: ${conf} defines prod already (name another one with --name, or add --replace)\n`,
    );
    expect(await importInto(conf, h, 'prod', '--replace', '--dry-run')).toMatchObject({ code: 0 });
    expect(readFileSync(real, 'utf8')).toBe(before);
    expect(await importInto(conf, h, 'prod', '--replace')).toMatchObject({ code: 0 });
    expect(definitions(real)[0]).toEqual(other);
    expect(definitions(real)[1]).toMatchObject({ name: 'prod', auth_mechanism: 'NONE' });
    expect(JSON.parse(readFileSync(real, 'utf8'))).toMatchObject({ configuration: { logging: { level: 'ERROR' } } });
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('says what a configuration with Kerberos and TLS does not tell; with that added, doctor finds nothing wrong', async () => {
    const conf = join(directory, 'secure.cfg');
    const { code, stderr } = await importInto(conf, k, 'secure');
    expect(code).toBe(0);
    expect(stderr).toContain('it uses Kerberos: run kinit, or add "principal" and "keytab"');
    const [imported] = definitions(conf);
    expect(imported).toMatchObject({ auth_mechanism: 'TKN_GSSAPI', nameservices: [{ urls: [k?.namenodeUrl] }] });
    const added = { ...k?.kerberos?.users['hdfs'], krb5_conf: k?.kerberos?.krb5Conf, truststore: k?.ca };
    writeFileSync(conf, JSON.stringify({ clusters: [{ ...imported, ...added }] }));
    const checked = await runCli(['clusters', 'check', 'secure', '--json'], { conf });
    expect(checked.code).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({ type: 'cluster', name: 'secure' });
  });

  it('checks each cluster, and ends with 3 when one does not answer', async () => {
    const conf = join(directory, 'check.cfg');
    await importInto(conf, a, 'staging');
    const gone = {
      name: 'gone',
      retry_timeout: 0,
      nameservices: [{ urls: ['http://nowhere.invalid:1'], mounts: ['/'] }],
    };
    writeFileSync(conf, JSON.stringify({ clusters: [gone, ...definitions(conf)] }));
    const { code, stdout } = await runCli(['clusters', 'check'], { conf });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^failed {3}gone +name nowhere\.invalid/m);
    expect(stdout).toMatch(/^(ok|warning) +staging/m);
    const listed = await runCli(['clusters', 'list'], { conf });
    expect(listed.stdout).toContain(`gone                 NONE       /\n  http://nowhere.invalid:1\n`);
    expect(await runCli(['clusters', 'check', 'none'], { conf })).toMatchObject({ code: 2 });
  });
});
