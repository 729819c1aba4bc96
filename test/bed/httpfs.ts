// What an HttpFS of the bed sets, beside the properties of the cluster that it stands before.
import type { Realm } from './realm.ts';
import type { Properties } from './site.ts';

const kerberos = ({ realm, serviceKeytab }: Realm): Properties => ({
  'hadoop.http.authentication.type': 'kerberos',
  'hadoop.http.authentication.kerberos.principal': `HTTP/localhost@${realm}`,
  'hadoop.http.authentication.kerberos.keytab': serviceKeytab,
  'httpfs.hadoop.authentication.type': 'kerberos',
  'httpfs.hadoop.authentication.kerberos.principal': `hdfs/localhost@${realm}`,
  'httpfs.hadoop.authentication.kerberos.keytab': serviceKeytab,
});

const impersonation = (users: readonly string[]): Properties =>
  Object.fromEntries(
    users.flatMap((user) => [
      [`httpfs.proxyuser.${user}.hosts`, '*'],
      [`httpfs.proxyuser.${user}.groups`, '*'],
    ]),
  );

/** httpfs-site.xml */
export const httpfsSettings = (
  port: number,
  { impersonators, tls, realm }: { impersonators: readonly string[]; tls: boolean; realm: Realm | undefined },
): Properties => ({
  'httpfs.http.port': String(port),
  'httpfs.http.hostname': 'localhost',
  'httpfs.ssl.enabled': String(tls),
  'hadoop.http.max.threads': '50',
  ...impersonation(impersonators),
  ...(realm ? kerberos(realm) : {}),
});

export const httpfsFlags = (configuration: string, home: string): Record<string, string> => ({
  'httpfs.home.dir': home,
  'httpfs.config.dir': configuration,
  'httpfs.log.dir': `${home}/log`,
  'httpfs.temp.dir': `${home}/temp`,
});
