import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '../bed/cluster.ts';
import { systemProgram } from '../bed/packages.ts';
import type { Realm } from '../bed/realm.ts';
import { TestHdfs } from './hdfs.ts';

const run = promisify(execFile);

/** A credential cache that kinit has filled. @param life  of the ticket, as kinit spells it */
export async function ticketOf(realm: Realm, user: string, life = '1h'): Promise<string> {
  const cache = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-ticket-')), 'ccache');
  const { principal, keytab } = realm.users[user] ?? { principal: '', keytab: '' };
  const env = { ...process.env, KRB5_CONFIG: realm.krb5Conf };
  await run(systemProgram('kinit'), ['-l', life, '-c', cache, '-kt', keytab, principal], { env });
  return cache;
}

/** Kerberos and TLS as curl does them, so that the product's own are not what checks the product. */
export class TestKerberos {
  readonly #cluster: Cluster;
  readonly realm: Realm;

  constructor(cluster: Cluster) {
    const { kerberos, ca } = cluster;
    if (!kerberos || ca === undefined) throw new Error(`${cluster.name} has no Kerberos`);
    this.#cluster = cluster;
    this.realm = kerberos;
  }

  /** What a GET answers to somebody with a ticket. */
  async get(pathAndQuery: string, user = 'hdfs'): Promise<string> {
    return this.#curl('GET', pathAndQuery, user);
  }

  /** A delegation token that the test has to care for itself. */
  async token(user = 'hdfs'): Promise<string> {
    const text = await this.#curl('GET', '/webhdfs/v1/?op=GETDELEGATIONTOKEN', user);
    return (JSON.parse(text) as { Token: { urlString: string } }).Token.urlString;
  }

  async cancel(token: string, user = 'hdfs'): Promise<void> {
    await this.#curl('PUT', `/webhdfs/v1/?op=CANCELDELEGATIONTOKEN&token=${token}`, user);
  }

  /** How many tokens the namenode has given out, and how many of these nobody cancelled. Its metrics are seconds old: its audit log is not. */
  tokens(): { readonly got: number; readonly left: number } {
    const log = this.#log();
    const numbers = (command: string) =>
      [...log.matchAll(new RegExp(`allowed=true.*cmd=${command}\\tsrc=HDFS_DELEGATION_TOKEN token (\\d+) `, 'g'))].map(
        ([, number]) => number,
      );
    const cancelled = new Set(numbers('cancelDelegationToken'));
    const got = numbers('getDelegationToken');
    return { got: got.length, left: got.filter((number) => !cancelled.has(number)).length };
  }

  /** Each delegation token that a request carried to the namenode or a datanode, as their request logs show it. */
  seen(): readonly string[] {
    return [
      ...new Set([...this.#log().matchAll(/[?&](?:delegation|token)=([\w-]{20,})/g)].map(([, token = '']) => token)),
    ];
  }

  #log(): string {
    return readFileSync(join(this.realm.directory, `../../logs/${this.#cluster.name}.log`), 'utf8');
  }

  async client(user = 'hdfs'): Promise<TestHdfs> {
    const { namenodeUrl, ca = '' } = this.#cluster;
    return new TestHdfs(namenodeUrl, user, { token: await this.token(user), ca: readFileSync(ca, 'utf8') });
  }

  async #curl(method: string, pathAndQuery: string, user: string): Promise<string> {
    const { namenodeUrl, ca = '' } = this.#cluster;
    const env = {
      ...process.env,
      KRB5_CONFIG: this.realm.krb5Conf,
      KRB5CCNAME: await ticketOf(this.realm, user),
    };
    const options = ['-sS', '--fail-with-body', '--negotiate', '-u', ':', '--cacert', ca, '-X', method];
    const { stdout } = await run(systemProgram('curl'), [...options, `${namenodeUrl}${pathAndQuery}`], { env });
    return stdout;
  }
}
