// A Kerberos realm of a bed's own: an MIT KDC on the loopback interface, its principals, their keytabs.
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { HostOptions } from './host.ts';
import { kerberosPrograms, requirePrograms, systemProgram } from './packages.ts';
import { runProgram } from './tools.ts';

export interface Principal {
  /** As in alice@ONE.TEST. */
  principal: string;
  keytab: string;
}

export interface Realm {
  realm: string;
  /** As in localhost:PORT, over TCP. */
  kdc: string;
  /** Knows this realm only: for $KRB5_CONFIG. */
  krb5Conf: string;
  users: Record<string, Principal>;
  /** Holds hdfs/localhost and HTTP/localhost. */
  serviceKeytab: string;
  directory: string;
}

const krb5Conf = (realm: string, port: number): string => `[libdefaults]
 default_realm = ${realm}
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 ticket_lifetime = 24h
 renew_lifetime = 7d
 forwardable = true
[realms]
 ${realm} = {
  kdc = 127.0.0.1:${port}
 }
`;

const kdcConf = (realm: string, port: number, directory: string): string => `[kdcdefaults]
 kdc_listen = 127.0.0.1:${port}
 kdc_tcp_listen = 127.0.0.1:${port}
[realms]
 ${realm} = {
  database_name = ${directory}/principal
  key_stash_file = ${directory}/stash
  acl_file = ${directory}/kadm5.acl
  max_life = 24h
  max_renewable_life = 7d
  supported_enctypes = aes256-cts:normal aes128-cts:normal
 }
[logging]
 default = STDERR
 kdc = STDERR
`;

const environment = (directory: string): NodeJS.ProcessEnv => ({
  ...process.env,
  KRB5_CONFIG: join(directory, 'krb5.conf'),
  KRB5_KDC_PROFILE: join(directory, 'kdc.conf'),
});

export const services = ['hdfs', 'HTTP'];

/** Makes a realm's database, with a random key for every principal. Its KDC has yet to be started. */
export const prepareRealm = async (
  realm: string,
  users: readonly string[],
  port: number,
  directory: string,
): Promise<Realm> => {
  await requirePrograms(kerberosPrograms);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'krb5.conf'), krb5Conf(realm, port));
  await writeFile(join(directory, 'kdc.conf'), kdcConf(realm, port, directory));
  const env = environment(directory);
  const run = async (program: 'kdb5_util' | 'kadmin.local', args: string[], input?: string): Promise<void> => {
    const { code, stdout, stderr } = await runProgram(systemProgram(program), args, {
      env,
      ...(input === undefined ? {} : { input }),
    });
    const said = `${stdout}\n${stderr}`;
    // kadmin.local ends with 0 whatever its script did.
    if (code !== 0 || /while (?:adding|creating|initializing|changing)/.test(said))
      throw new Error(`making the realm ${realm} failed (${program} ended with ${code}): ${said.slice(-2000)}`);
  };
  await run('kdb5_util', ['create', '-s', '-r', realm, '-P', 'bedmaster']);
  const keytabs = new Map(users.map((user) => [user, join(directory, `${user}.keytab`)]));
  const serviceKeytab = join(directory, 'service.keytab');
  const all = [...services.map((service) => [`${service}/localhost`, serviceKeytab] as const), ...keytabs.entries()];
  const script = all.flatMap(([name, keytab]) => [`addprinc -randkey ${name}`, `ktadd -q -k ${keytab} ${name}`]);
  await run('kadmin.local', ['-r', realm], `${script.join('\n')}\n`);
  return {
    realm,
    kdc: `localhost:${port}`,
    krb5Conf: join(directory, 'krb5.conf'),
    users: Object.fromEntries([...keytabs].map(([user, keytab]) => [user, { principal: `${user}@${realm}`, keytab }])),
    serviceKeytab,
    directory,
  };
};

// Its standard input is watched by a subshell, as Launcher.java watches that of a JVM.
const watched = `exec 3<&0 </dev/null
{ read -r line <&3; [ "$line" = release ] || kill "$$"; } 2>/dev/null &
exec 3<&-
exec "$@"`;

/** The KDC itself, in the foreground. */
export const kdcHost = ({ directory, realm }: Realm, dir: string): HostOptions => {
  const args = ['-c', watched, 'kdc', systemProgram('krb5kdc'), '-n', '-r', realm, '-P', join(directory, 'pid')];
  return {
    name: `kdc-${realm}`,
    daemons: [`kdc-${realm}`],
    dir,
    command: { program: 'sh', args, env: environment(directory) },
  };
};

const answers = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};

/** What keeps realms from being used, undefined if nothing does. */
export const kdcTrouble = async (realms: Realm[]): Promise<string | undefined> => {
  for (const { realm, kdc } of realms)
    if (!(await answers(Number(kdc.slice(kdc.lastIndexOf(':') + 1))))) return `the KDC of ${realm} does not answer`;
  return undefined;
};
