import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../bed/bed.ts';
import { definitionOf } from '../bed/client-config.ts';
import { systemProgram } from '../bed/packages.ts';
import type { Realm } from '../bed/realm.ts';
import { type CliOptions, type CliResult, newHome, runCli, startCli } from '../support/cli.ts';
import { sharedCluster } from '../support/clusters.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { TestHdfs } from '../support/hdfs.ts';
import { TestKerberos, ticketOf } from '../support/kerberos.ts';
import { contentsBelow, watchProcesses } from '../support/leaks.ts';
import { makeOddTree, makeSmallTree } from '../support/odd-tree.ts';
import { closedPort } from '../support/scripted-server.ts';
import { writeConf } from '../support/two-clusters.ts';

type Name = 'K' | 'L' | 'A';
type Fields = Record<string, unknown>;

let clusters: Record<Name, Cluster>;
let k: TestKerberos;
let l: TestKerberos;
let onK: TestHdfs;
let onL: TestHdfs;
let onA: TestHdfs;
let realm: Realm;
/** Lies at /small on K and A. */
let small: Record<string, string>;

beforeAll(async () => {
  const [K, L, A] = await Promise.all([sharedCluster('K'), sharedCluster('L'), sharedCluster('A')]);
  clusters = { K, L, A };
  [k, l] = [new TestKerberos(K), new TestKerberos(L)];
  realm = k.realm;
  [onK, onL, onA] = [await k.client(), await l.client(), new TestHdfs(A.namenodeUrl)];
  await makeSmallTree(onK, '/kerberos/small');
  await makeSmallTree(onA, '/kerberos/small');
  small = await onA.tree('/kerberos/small');
}, 300_000);

/** A configuration of the bed's clusters, with other fields where told; a field that is undefined is left out. */
function conf(changes: Partial<Record<Name, Fields>> = {}): string {
  const definitions = (['K', 'L', 'A'] as const).map((name) => ({ ...definitionOf(clusters[name]), ...changes[name] }));
  return writeConf(JSON.stringify({ clusters: definitions }));
}

const copy = (args: readonly string[], options: CliOptions) => runCli(['copy', '--silent', ...args], options);
/** Nothing but what the configuration says. */
const bare = { KRB5CCNAME: 'FILE:/nowhere', KRB5_CONFIG: '/nowhere' };
const tokens = { auth_mechanism: 'TKN_GSSAPI' };
const ofToken = (token: string): Fields => ({
  auth_mechanism: 'TOKEN',
  token,
  principal: undefined,
  keytab: undefined,
  krb5_conf: undefined,
});

/** How many tickets for L's namenode its KDC has granted; no other test of this project uses it at the same time. */
function ticketsGranted(): number {
  const log = readFileSync(join(l.realm.directory, '../../logs/kdc-TWO.TEST.log'), 'utf8');
  return log.split('\n').filter((line) => /TGS_REQ.*ISSUE.*HTTP\/localhost/.test(line)).length;
}

test('a tree with odd names and all lengths goes from an insecure cluster through two realms that do not know each other', async () => {
  await makeOddTree(onA, '/odd');
  const tree = await onA.tree('/odd');
  const file = conf({ K: tokens, L: tokens });
  for (const [from, to] of [
    ['A', 'K'],
    ['K', 'L'],
    ['L', 'A'],
  ]) {
    const target = to === 'A' ? '/odd-again' : '/odd';
    const { code, stderr, status } = await copy([`${from}:/odd`, `${to}:${target}`], { conf: file, env: bare });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status.Verified).toEqual({ checksum: status['Files Expected'] });
  }
  expect(await onA.tree('/odd-again')).toEqual(tree);
  expect(await onL.tree('/odd')).toEqual(tree);
});

describe.each(['GSSAPI', 'TKN_GSSAPI'])('%s', (auth_mechanism) => {
  const target = `/${auth_mechanism}`;

  test('copies with a keytab and no kinit, and asks the KDC for one ticket', async () => {
    const before = ticketsGranted();
    const { code, stderr } = await copy(['A:/kerberos/small', `L:${target}-by-keytab`], {
      conf: conf({ L: { auth_mechanism, mutual_auth: 'REQUIRED' } }),
      env: bare,
    });
    expect({ code, stderr, tickets: ticketsGranted() - before }).toEqual({ code: 0, stderr: '', tickets: 1 });
    expect(await onL.tree(`${target}-by-keytab`)).toEqual(small);
  });

  test.each(['OPTIONAL', 'DISABLED'])('copies with the ticket that kinit got, mutual_auth %s', async (mutual_auth) => {
    const own = { auth_mechanism, mutual_auth, keytab: undefined, principal: undefined };
    const { code, stderr } = await copy(['K:/kerberos/small', `K:${target}-${mutual_auth}`], {
      conf: conf({ K: own }),
      env: { KRB5CCNAME: await ticketOf(realm, 'hdfs') },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await onK.tree(`${target}-${mutual_auth}`)).toEqual(small);
  });

  test('copies between two realms, with a ticket for one and a keytab for the other', async () => {
    const own = { auth_mechanism, keytab: undefined, credential_cache: await ticketOf(realm, 'hdfs') };
    const { code, stderr } = await copy(['K:/kerberos/small', `L:${target}`], {
      conf: conf({ K: own, L: { auth_mechanism } }),
      env: bare,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await onL.tree(target)).toEqual(small);
  });

  test('copies from an insecure cluster and to one', async () => {
    const options = { conf: conf({ K: { auth_mechanism } }) };
    expect(await copy(['A:/kerberos/small', `K:${target}-from-A`], options)).toMatchObject({ code: 0, stderr: '' });
    expect(await copy(['K:/kerberos/small', `A:${target}`], options)).toMatchObject({ code: 0, stderr: '' });
    expect(await onK.tree(`${target}-from-A`)).toEqual(small);
    expect(await onA.tree(target)).toEqual(small);
  });

  test('copies to and from an HttpFS, and replaces what stands there', async () => {
    const nameservices = [{ urls: [clusters.L.httpfs?.url], mounts: ['/'] }];
    const options = { conf: conf({ L: { auth_mechanism, nameservices } }), env: bare };
    await onL.put(`${target}-httpfs/513`, 'what was there');
    for (const [from, to] of [
      ['A:/kerberos/small/a', `L:${target}-httpfs`],
      [`L:${target}-httpfs`, `A:${target}-httpfs`],
    ] as const) {
      const { code, stderr } = await copy(['--exact', '--force', from, to], options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    const expected = await onA.tree('/kerberos/small/a');
    expect(await onL.tree(`${target}-httpfs`)).toEqual(expected);
    expect(await onA.tree(`${target}-httpfs`)).toEqual(expected);
  });

  test('acts for another user', async () => {
    const proxy = { ...realm.users['proxy'], doas: 'alice', auth_mechanism };
    await onK.mkdirs('/home-of-alice');
    await onK.call('PUT', 'SETOWNER', '/home-of-alice', { owner: 'alice' });
    const path = `/home-of-alice${target}`;
    const { code, stderr } = await copy(['K:/kerberos/small', `K:${path}`], { conf: conf({ K: proxy }) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await onK.tree(path)).toEqual(small);
    expect((await onK.status(path)).owner).toBe('alice');
  });
});

describe('delegation tokens', () => {
  test('are got once for a job and cancelled at its end, also of one that failed', async () => {
    const before = l.tokens();
    expect((await copy(['A:/kerberos/small', 'L:/tokens'], { conf: conf({ L: tokens }) })).code).toBe(0);
    expect((await copy(['L:/missing', 'A:/tokens-missing'], { conf: conf({ L: tokens }) })).code).toBe(3);
    expect(l.tokens()).toEqual({ got: before.got + 2, left: before.left });
  });

  test('are got by each copier process too, and cancelled by it', async () => {
    const puts = Array.from({ length: 150 }, (_, i) => onA.put(`/kerberos/many/f${i}`, `${i}`));
    await Promise.all(puts);
    const before = l.tokens();
    const args = ['--copiers', '2', 'A:/kerberos/many', 'L:/tokens-many'];
    const { code, stderr, status } = await copy(args, { conf: conf({ L: tokens }), env: bare });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(status['Files Copied']).toBe(150);
    expect(l.tokens()).toEqual({ got: before.got + 3, left: before.left });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('are cancelled when the job is ended by %s', async (signal) => {
    await using faultProxy = await FaultProxy.start(clusters.A.namenodeUrl, {
      react: ({ operation, to }) => (operation === 'OPEN' && to === 'namenode' ? 'hang' : undefined),
    });
    const slow = { nameservices: [{ urls: [faultProxy.url], mounts: ['/'] }] };
    const before = l.tokens();
    const args = ['copy', '--silent', 'A:/kerberos/small', `L:/tokens-${signal}`];
    const { child, ended } = startCli(args, { conf: conf({ A: slow, L: tokens }) });
    while (faultProxy.count('OPEN') === 0) await sleep(50);
    expect(l.tokens()).toEqual({ got: before.got + 1, left: before.left + 1 });
    child.kill(signal);
    expect((await ended).code).toBe(130);
    expect(l.tokens()).toEqual({ got: before.got + 1, left: before.left });
  });

  test('are in no output, log, error, manifest, database or process list, nor are keys and passwords', async () => {
    const home = newHome();
    const log = join(home, 'log.jsonl');
    const flags = ['--json', '-vvvv', '--log-file', log];
    const stopWatching = watchProcesses();
    const ran: CliResult[] = [];
    for (const auth of [tokens, { auth_mechanism: 'GSSAPI' }]) {
      for (const from of ['/kerberos/small', '/kerberos/missing']) {
        const options = { conf: conf({ L: auth }), home };
        const target = `L:/secrets-${auth.auth_mechanism}`;
        ran.push(await runCli(['copy', ...flags, `A:${from}`, target], options));
      }
    }
    const processes = stopWatching();
    expect(ran.map(({ code }) => code)).toEqual([0, 3, 0, 3]);
    expect(processes).toContain('L:/secrets-GSSAPI');
    const secrets = l.seen();
    expect(secrets.length).toBeGreaterThan(3);
    const kept = contentsBelow(home);
    expect(kept.length).toBeGreaterThanOrEqual(3);
    const everything = [...ran.flatMap(({ stdout, stderr }) => [stdout, stderr]), processes, ...kept].join('\n');
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  test('of the user are used on both sides, and left as they are', async () => {
    const file = conf({ K: ofToken(await k.token()), L: ofToken(await l.token()) });
    for (const target of ['/of-the-user', '/of-the-user-again']) {
      const { code, stderr } = await copy(['K:/kerberos/small', `L:${target}`], { conf: file, env: bare });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(await onL.tree(target)).toEqual(small);
    }
  });
});

describe('what cannot work ends within 30 s with exit code 3 and a line that says why and what to do, and changes nothing:', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-wrong-'));
  const noTicket = 'cluster K: no Kerberos ticket for HTTP/localhost';

  /** Keys of a password that is not the principal's. */
  function staleKeytab(): string {
    const keytab = join(directory, 'stale.keytab');
    const input = `add_entry -password -p hdfs@ONE.TEST -k 1 -e aes256-cts\nwrong\nwkt ${keytab}\nq\n`;
    execFileSync(systemProgram('ktutil'), { input, env: { ...process.env, KRB5_CONFIG: realm.krb5Conf } });
    return keytab;
  }

  async function withoutKdc(): Promise<string> {
    const { host } = await closedPort();
    return readFileSync(realm.krb5Conf, 'utf8').replace(/^ +kdc = .*/m, `  kdc = ${host}`);
  }

  async function expiredTicket(): Promise<string> {
    const cache = await ticketOf(realm, 'hdfs', '1s');
    await sleep(2000);
    return cache;
  }

  async function revokedToken(): Promise<string> {
    const token = await k.token();
    await k.cancel(token);
    return token;
  }

  test.each<[string, () => Fields | Promise<Fields>, readonly string[]]>([
    [
      'a keytab of somebody else',
      () => ({ keytab: realm.users['bob']?.keytab }),
      [`${noTicket} as hdfs@ONE.TEST`, 'check that the keytab has a key of the principal: klist -kt'],
    ],
    ['a keytab with old keys', () => ({ keytab: staleKeytab() }), [noTicket, 'ask for a new keytab']],
    [
      'a principal that the keytab lacks',
      () => ({ principal: 'nobody@ONE.TEST' }),
      [`${noTicket} as nobody@ONE.TEST`, 'klist -kt'],
    ],
    [
      'no ticket',
      () => ({ keytab: undefined, credential_cache: join(directory, 'none') }),
      [noTicket, 'get a ticket with kinit'],
    ],
    [
      'an expired ticket',
      async () => ({ keytab: undefined, credential_cache: await expiredTicket() }),
      [noTicket, 'expired', 'get a new ticket with kinit'],
    ],
    [
      'a KDC that is down',
      async () => ({ krb5_conf: await withoutKdc() }),
      [noTicket, 'Cannot contact any KDC', 'krb5_conf'],
    ],
    [
      'a revoked token',
      async () => ofToken(await revokedToken()),
      ['cluster K does not accept the credentials', 'put a valid token into the cluster configuration'],
    ],
    [
      'no credentials',
      () => ({ ...ofToken(''), auth_mechanism: 'NONE', token: undefined }),
      ['cluster K', 'set its auth_mechanism'],
    ],
    [
      'a principal that may not act for others',
      () => ({ ...realm.users['bob'], doas: 'alice' }),
      ['bob', 'is not allowed to impersonate alice'],
    ],
  ])('%s', async (_what, fields, says) => {
    const before = await onK.list('/kerberos');
    const own = await fields();
    for (const auth of 'auth_mechanism' in own ? [{}] : [{}, tokens]) {
      // What were tried again would outlast the test.
      const file = conf({ K: { ...auth, ...own, retry_timeout: 600 } });
      const { code, stderr } = await copy(['K:/kerberos/small', 'K:/kerberos/refused'], {
        conf: file,
        home: newHome(),
        env: bare,
      });
      expect(code, stderr).toBe(3);
      expect(stderr).toMatch(/^hdfs-fanout: [^\n]+\n$/);
      for (const words of says) expect(stderr).toContain(words);
    }
    expect(await onK.list('/kerberos')).toEqual(before);
  });

  test('one that is seen in the configuration ends with exit code 2: a keytab that is none; realms defined twice', async () => {
    const text = join(directory, 'text');
    writeFileSync(text, 'no keytab');
    const other = readFileSync(realm.krb5Conf, 'utf8').replace(/^ +kdc = .*/m, '  kdc = elsewhere');
    for (const [file, says] of [
      [conf({ K: { keytab: text } }), `cluster K: its keytab ${text} is no keytab`],
      [conf({ L: { krb5_conf: other } }), 'the krb5_conf of clusters K and L define the realm ONE.TEST differently'],
    ] as const) {
      const { code, stderr } = await copy(['K:/kerberos/small', 'L:/refused'], { conf: file });
      expect(code, stderr).toBe(2);
      expect(stderr).toContain(says);
    }
  });
});
