import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { examined, Patient } from '../../../support/doctor.ts';
import { closedPort, remoteException, standby } from '../../../support/scripted-server.ts';

const AFTER_CONNECTION = ['path', 'datanode', 'write', 'rename', 'concat', 'delete', 'quota', 'space'];

describe('a cluster in good health', () => {
  it('has a row for every check, in order, and none that failed', async () => {
    await using patient = await Patient.start();
    const rows = await examined([patient.url]);
    expect(rows.all.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'name ok',
      'connection ok',
      'TLS skipped',
      'authentication ok',
      'state ok',
      'version ok',
      'clock ok',
      'path ok',
      'snapshot ok',
      'datanode ok',
      'write ok',
      'rename ok',
      'concat ok',
      'delete ok',
      'quota ok',
      'space ok',
    ]);
    expect(rows.text('authentication')).toBe('ok: NONE: the server sees me');
    expect(rows.text('datanode', patient.datanode.host)).toMatch(/^ok: TCP in \d+ ms$/);
    expect(rows.text('path')).toBe('ok: /user/me of root:supergroup, 755');
  });

  it('is written to in one directory of a random name, which is deleted', async () => {
    await using patient = await Patient.start();
    await examined([patient.url], { path: '/data' });
    const changes = patient.namenode.requests.filter(({ method, path }) => method !== 'GET' && path !== '/');
    const made = changes.find(({ operation }) => operation === 'MKDIRS')?.path ?? '';
    expect(made).toMatch(/^\/data\/\.hdfs-fanout-doctor-[0-9a-f]{12}$/);
    // The first step of a CREATE changes nothing.
    const steps = changes.filter(({ path }) => !path.endsWith('/.hdfs-fanout-doctor'));
    expect(steps.every(({ path }) => path === made || path.startsWith(`${made}/`))).toBe(true);
    const last = changes.at(-1);
    expect([last?.operation, last?.path, last?.query.get('recursive')]).toEqual(['DELETE', made, 'true']);
  });

  it('is not written to at all with readOnly', async () => {
    await using patient = await Patient.start();
    const rows = await examined([patient.url], { readOnly: true });
    expect(rows.in('skipped')).toEqual(['TLS', 'write', 'rename', 'concat', 'delete']);
    expect(rows.text('write')).toBe('skipped: --read-only');
    expect(new Set(patient.namenode.operations.filter((one) => /MKDIRS|RENAME|CONCAT|DELETE/.test(one)))).toEqual(
      new Set(),
    );
    expect(patient.datanode.requests).toEqual([]);
  });
});

describe('name', () => {
  it('fails for a host that does not resolve, and what needs it is skipped with the reason', async () => {
    const rows = await examined(['http://namenode.invalid:9870']);
    expect(rows.in('failed')).toEqual(['name']);
    expect(rows.text('name', 'namenode.invalid:9870')).toMatch(/^failed: the host name .*resolve.* \(correct the name/);
    expect(rows.text('connection')).toBe('skipped: needs "name", which did not succeed');
    expect(rows.of('write')).toHaveLength(1);
    expect(rows.all).toHaveLength(15);
  });
});

describe('connection', () => {
  it('fails for a wrong port and says what to do; the other address is examined all the same', async () => {
    const closed = await closedPort();
    await using patient = await Patient.start();
    const rows = await examined([closed.url, patient.url]);
    expect(rows.text('connection', closed.host)).toBe(
      'failed: connection refused (correct the port, or start what should listen there)',
    );
    expect(rows.text('authentication', closed.host)).toMatch(/^skipped: needs "TLS"/);
    expect(rows.in('failed')).toEqual(['connection']);
    expect(rows.text('write')).toMatch(/^ok/);
  });

  it('to a host that never answers costs a few seconds', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const rows = await examined([`http://${host}`]);
    silent.close();
    expect(rows.text('authentication', host)).toMatch(/^failed: NONE: no answer within 4 s/);
    expect(AFTER_CONNECTION.every((name) => rows.in('skipped').includes(name as never))).toBe(true);
  });
});

describe('authentication', () => {
  it('tells what the server asks for that does not let us in', async () => {
    const answer = {
      status: 401,
      headers: { 'www-authenticate': 'Negotiate', 'content-type': 'text/html' },
      text: '<html><title>Error 401 Authentication required</title></html>',
    };
    await using patient = await Patient.start({ GETHOMEDIRECTORY: answer });
    const rows = await examined([patient.url]);
    expect(rows.text('authentication')).toBe(
      'failed: NONE: cluster prod does not accept the credentials: HTTP 401: Error 401 Authentication required (it asks for Kerberos: set auth_mechanism to TKN_GSSAPI, or check the ticket)',
    );
    expect(rows.text('state')).toMatch(/^skipped: needs "authentication"/);
    expect(rows.text('clock')).toMatch(/^ok/);
  });

  it('warns when the server takes us for another one than was meant', async () => {
    await using patient = await Patient.start();
    const cluster = { auth_mechanism: 'TOKEN', token: 'HgAFsecret', doas: 'bob' };
    const rows = await examined([patient.url], { cluster });
    expect(rows.text('authentication')).toBe(
      'warning: TOKEN, for bob: the server sees me, not bob (a token acts as its owner: get one for doas)',
    );
    expect(rows.text('TLS')).toMatch(/^warning: the URL is http: credentials and data go in the clear/);
    expect(JSON.stringify(rows.all)).not.toContain('HgAFsecret');
  });

  it('says that a token is no longer valid', async () => {
    const expired = remoteException(
      'SecurityException',
      'Failed to obtain user group information: …SecretManager$InvalidToken: expired',
    );
    await using patient = await Patient.start({ GETHOMEDIRECTORY: expired });
    const rows = await examined([patient.url], { cluster: { auth_mechanism: 'TOKEN', token: 'x' } });
    expect(rows.text('authentication')).toMatch(/^failed: TOKEN: .*SecurityException: .*\(put a valid token into/);
  });
});

describe('state', () => {
  it('is fine with one active namenode and a standby one, and works with the active one', async () => {
    await using passive = await Patient.start({ GETFILESTATUS: standby });
    await using active = await Patient.start();
    const rows = await examined([passive.url, active.url]);
    expect(rows.text('state', passive.namenode.host)).toBe('ok: standby');
    expect(rows.text('state', active.namenode.host)).toBe('ok: active');
    expect(rows.text('path', active.namenode.host)).toMatch(/^ok/);
    expect(rows.in('failed')).toEqual([]);
  });

  it('fails when no namenode is active, and PATH is not looked at', async () => {
    await using one = await Patient.start({ GETFILESTATUS: standby });
    await using two = await Patient.start({
      GETFILESTATUS: remoteException('RetriableException', 'SafeModeException: starting'),
    });
    const rows = await examined([one.url, two.url]);
    expect(rows.of('state').map(({ state, found }) => `${state}: ${found}`)).toEqual([
      'failed: standby, and none of its nameservice is active',
      'failed: starting, and none of its nameservice is active',
    ]);
    expect(rows.text('path')).toBe('skipped: needs an active namenode for /user/me');
    expect(rows.text('delete')).toMatch(/^skipped/);
  });

  it.each([
    ['JMX', { jmx: { json: { beans: [{ FSState: 'safeMode' }] } } }],
    [
      'a refusal',
      { MKDIRS: remoteException('SafeModeException', 'Cannot create directory /. Name node is in safe mode.') },
    ],
  ])('tells safe mode from %s, and then writes nothing', async (_what, answers) => {
    await using patient = await Patient.start(answers);
    const rows = await examined([patient.url]);
    expect(rows.text('state')).toMatch(/^failed: active, in safe mode/);
    expect(rows.text('write')).toBe('skipped: the namenode is in safe mode');
    expect(patient.namenode.operations).not.toContain('DELETE');
  });
});

describe('version', () => {
  const httpfs = {
    CREATE: () => ({ status: 307, headers: { location: 'http://gw:14000/webhdfs/v1/x?op=CREATE&data=true' } }),
  };
  const knox = {
    CREATE: () => ({ status: 307, headers: { location: 'https://gw:8443/gateway/dr/webhdfs/data/v1/x?_=AAAA' } }),
  };

  it.each([
    ['HttpFS', httpfs],
    ['gateway', knox],
  ])('tells %s by where it sends a write, and looks for no datanodes there', async (dialect, answers) => {
    await using patient = await Patient.start(answers);
    const rows = await examined([patient.url], { readOnly: true });
    expect(rows.text('version')).toBe(`ok: ${dialect}, Hadoop of unknown version`);
    expect(rows.text('datanode')).toBe(`skipped: ${dialect} passes all bytes itself`);
  });

  it('tells the release where JMX does', async () => {
    await using patient = await Patient.start({ jmx: { json: { beans: [{ SoftwareVersion: '3.4.2' }] } } });
    expect((await examined([patient.url])).text('version')).toBe('ok: WebHDFS, Hadoop 3.4.2');
  });
});
