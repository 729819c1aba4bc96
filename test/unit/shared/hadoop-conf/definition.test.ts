import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importCluster } from '../../../../shared/hadoop-conf/definition.ts';
import { type Properties, writeProperties, writeSites } from '../../../bed/site.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hadoop-conf-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const imported = async (core: Properties, hdfs: Properties = {}, nameservice?: string) => {
  await writeSites(directory, { core, hdfs });
  return importCluster(directory, 'prod', nameservice, {});
};

/** Two namenodes of a nameservice, as vendors write them. */
const pair = (service: string): Properties => ({
  [`dfs.ha.namenodes.${service}`]: 'nn1, nn2',
  [`dfs.namenode.rpc-address.${service}.nn1`]: `${service}-a:8020`,
  [`dfs.namenode.rpc-address.${service}.nn2`]: `${service}-b:8020`,
  [`dfs.namenode.http-address.${service}.nn1`]: `${service}-a:50070`,
  [`dfs.namenode.http-address.${service}.nn2`]: '0.0.0.0:50070',
  [`dfs.namenode.https-address.${service}.nn1`]: `${service}-a:50470`,
});

it('takes both namenodes of the default nameservice; a wildcard stands for the host of the RPC address', async () => {
  const { cluster, notes } = await imported(
    { 'fs.defaultFS': 'hdfs://ns1' },
    { 'dfs.nameservices': 'ns1', ...pair('ns1') },
  );
  expect(cluster).toEqual({
    name: 'prod',
    auth_mechanism: 'NONE',
    nameservices: [{ name: 'ns1', urls: ['http://ns1-a:50070', 'http://ns1-b:50070'], mounts: ['/'] }],
  });
  expect(notes).toEqual([]);
});

it('tells of the other nameservices that the client knows, and takes one that is named', async () => {
  const both = { 'dfs.nameservices': 'ns1,ns2', ...pair('ns1'), ...pair('ns2') };
  const { notes } = await imported({ 'fs.defaultFS': 'hdfs://ns1' }, both);
  expect(notes).toEqual(['it also knows ns2: import each under a name of its own with --nameservice']);
  const second = await imported({ 'fs.defaultFS': 'hdfs://ns1' }, both, 'ns2');
  expect(second.cluster.nameservices[0]?.urls).toEqual(['http://ns2-a:50070', 'http://ns2-b:50070']);
  await expect(imported({ 'fs.defaultFS': 'hdfs://ns1' }, both, 'ns3')).rejects.toThrow(
    'there is no nameservice ns3 in dfs.nameservices (it has ns1, ns2)',
  );
});

it('takes one namenode without HA by the host of fs.defaultFS, and says where it guesses the port', async () => {
  const { cluster, notes } = await imported({ 'fs.defaultFS': 'hdfs://nn.test:8020/' });
  expect(cluster.nameservices).toEqual([{ urls: ['http://nn.test:9870'], mounts: ['/'] }]);
  expect(notes).toEqual([
    "dfs.namenode.http-address is not set: http://nn.test:9870 has Hadoop's usual port; routers and Hadoop 2 have others",
  ]);
});

it('takes https where that is all there is, or both are, and says how to get the certificates', async () => {
  const hdfs = { 'dfs.nameservices': 'ns1', ...pair('ns1'), 'dfs.http.policy': 'HTTPS_ONLY' };
  await writeProperties(join(directory, 'ssl-client.xml'), {
    'ssl.client.truststore.location': '/etc/security/trust.jks',
    'ssl.client.truststore.password': 'changeit',
    'ssl.client.keystore.location': '/etc/security/own.jks',
  });
  const { cluster, notes } = await imported({ 'fs.defaultFS': 'hdfs://ns1' }, hdfs);
  expect(cluster.nameservices[0]?.urls).toEqual(['https://ns1-a:50470', 'https://ns1-b:9871']);
  expect(notes).toEqual([
    "dfs.namenode.https-address.ns1.nn2 is not set: https://ns1-b:9871 has Hadoop's usual port; routers and Hadoop 2 have others",
    'it trusts /etc/security/trust.jks: keytool -list -rfc -keystore /etc/security/trust.jks > prod.pem, then add "truststore"',
    'it has a certificate of its own in /etc/security/own.jks: add "certificate" and "key" where it is asked for',
  ]);
  expect(JSON.stringify({ cluster, notes })).not.toContain('changeit');
  const both = await imported({ 'fs.defaultFS': 'hdfs://ns1' }, { ...hdfs, 'dfs.http.policy': 'HTTP_AND_HTTPS' });
  expect(both.cluster.nameservices[0]?.urls[0]).toBe('https://ns1-a:50470');
  expect(both.notes[0]).toBe('http is served too (dfs.http.policy): https is taken');
});

it('takes Kerberos, and says what it takes to log in', async () => {
  const { cluster, notes } = await imported({
    'fs.defaultFS': 'hdfs://nn.test',
    'hadoop.security.authentication': 'kerberos',
  });
  expect(cluster.auth_mechanism).toBe('TKN_GSSAPI');
  expect(notes).toContain(
    'it uses Kerberos: run kinit, or add "principal" and "keytab", and "krb5_conf" where the realm has its own',
  );
});

it('makes mounts of a table of ViewFS, and refuses one that renames', async () => {
  const hdfs = { 'dfs.nameservices': 'ns1,ns2', ...pair('ns1'), ...pair('ns2') };
  const table = (target: string) => ({
    'fs.defaultFS': 'viewfs://all/',
    'fs.viewfs.mounttable.all.link./data': 'hdfs://ns1/data',
    'fs.viewfs.mounttable.all.link./user': 'hdfs://ns1/user/',
    'fs.viewfs.mounttable.all.link./logs': target,
    'fs.viewfs.mounttable.all.homedir': '/user',
  });
  const { cluster } = await imported(table('hdfs://ns2/logs'), hdfs);
  expect(cluster.nameservices.map(({ mounts }) => mounts)).toEqual([['/data', '/user'], ['/logs']]);
  await expect(imported(table('hdfs://ns2/old/logs'), hdfs)).rejects.toThrow(
    'fs.viewfs.mounttable.all.link./logs shows hdfs://ns2/old/logs as /logs: paths of a cluster here are those of its namenodes',
  );
});

it('says that WebHDFS is switched off', async () => {
  const { notes } = await imported({ 'fs.defaultFS': 'hdfs://nn.test' }, { 'dfs.webhdfs.enabled': 'false' });
  expect(notes.at(-1)).toMatch(/^dfs.webhdfs.enabled is false/);
});

it.each([
  [{}, 'fs.defaultFS is not set (name one with --nameservice: there is none)'],
  [{ 'fs.defaultFS': 's3a://bucket' }, 'fs.defaultFS is s3a://bucket, which is not HDFS'],
  [{ 'fs.defaultFS': 'file:///' }, 'fs.defaultFS is file:///, which is not HDFS'],
  [{ 'fs.defaultFS': 'viewfs://all' }, 'nothing is mounted in fs.viewfs.mounttable.all.link.*'],
])('refuses %j in words', async (core, message) => {
  await expect(imported(core)).rejects.toThrow(message);
});

it('refuses a directory that is none', () => {
  expect(() => importCluster(join(directory, 'gone'), 'prod', undefined, {})).toThrow(
    /holds neither core-site.xml nor mountTable.xml nor hdfs-site.xml \(name the configuration of a Hadoop client\)/,
  );
});

it('takes what is merged at the root of ViewFS for a mount, and tells of links that it leaves out', async () => {
  const table = 'fs.viewfs.mounttable.all.';
  const core = { 'fs.defaultFS': 'viewfs://all', [`${table}linkMergeSlash`]: 'hdfs://nn1.test:8020/' };
  const { cluster } = await imported(core);
  expect(cluster.nameservices).toEqual([{ urls: ['http://nn1.test:9870'], mounts: ['/'] }]);
  const others = ['linkNfly.minReplication=1./b', 'linkNfly./c', 'linkMerge./d', 'linkRegx.^/e/(\\w+)'];
  const links = Object.fromEntries(others.map((link) => [`${table}${link}`, 'hdfs://nn2:8020/b,hdfs://nn3:8020/b']));
  const { cluster: plain, notes } = await imported({
    ...{ 'fs.defaultFS': 'viewfs://all', [`${table}link./a`]: 'hdfs://nn1.test:8020/a', ...links },
    [`${table}homedir`]: '/user',
  });
  expect(plain.nameservices.map(({ mounts }) => mounts)).toEqual([['/a']]);
  const leftOut = others.map((link) => `${table}${link} is left out: a path of a cluster here has one place`);
  expect(notes.filter((note) => note.includes('left out')).toSorted()).toEqual(leftOut.toSorted());
});

it.each([
  ['no nameservice', {}, ''],
  ['a nameservice without HA', { 'dfs.nameservices': 'ns1' }, '.ns1'],
])('takes the host of fs.defaultFS where an RPC address is a wildcard: %s', async (_what, hdfs, suffix) => {
  const core = { 'fs.defaultFS': 'hdfs://nn.test:8020' };
  const rpc = { [`dfs.namenode.rpc-address${suffix}`]: '0.0.0.0:8020' };
  const { cluster } = await imported(core, { ...hdfs, ...rpc }, suffix ? 'ns1' : undefined);
  expect(cluster.nameservices[0]?.urls).toEqual(['http://nn.test:9870']);
});

it('takes no host of fs.defaultFS for one of two nameservices', async () => {
  const hdfs = { 'dfs.nameservices': 'ns1,ns2', 'dfs.namenode.rpc-address.ns2': '0.0.0.0:8020' };
  await expect(imported({ 'fs.defaultFS': 'hdfs://nn.test:8020' }, hdfs, 'ns2')).rejects.toThrow(
    'neither dfs.namenode.http-address.ns2 nor dfs.namenode.rpc-address.ns2 names a host',
  );
});
