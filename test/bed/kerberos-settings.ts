// What makes a cluster ask for tickets.
import type { Realm } from './realm.ts';
import type { Properties } from './site.ts';

/** Who may impersonate others. */
export const impersonators = ['hdfs', 'proxy'];

const groups = 'hdfs=supergroup;alice=staff;bob=staff;proxy=gateways';

export const kerberosCore = ({ realm, serviceKeytab }: Realm): Properties => ({
  'hadoop.security.authentication': 'kerberos',
  'hadoop.security.authorization': 'true',
  'hadoop.rpc.protection': 'authentication',
  // Without the type a namenode's WebHDFS believes any user.name.
  'hadoop.http.authentication.type': 'kerberos',
  'hadoop.http.authentication.kerberos.principal': `HTTP/localhost@${realm}`,
  'hadoop.http.authentication.kerberos.keytab': serviceKeytab,
  // None of these is a user of the machine.
  'hadoop.user.group.static.mapping.overrides': groups,
  ...Object.fromEntries(
    impersonators.flatMap((user) => [
      [`hadoop.proxyuser.${user}.hosts`, '*'],
      [`hadoop.proxyuser.${user}.groups`, '*'],
    ]),
  ),
});

/** One principal for namenode and datanodes: a JVM that hosts both is logged in once. */
export const kerberosHdfs = ({ realm, serviceKeytab }: Realm): Properties => ({
  'dfs.block.access.token.enable': 'true',
  // What lets a datanode do without privileged ports.
  'dfs.data.transfer.protection': 'authentication',
  'dfs.namenode.kerberos.principal': `hdfs/localhost@${realm}`,
  'dfs.namenode.keytab.file': serviceKeytab,
  'dfs.namenode.kerberos.internal.spnego.principal': `HTTP/localhost@${realm}`,
  'dfs.datanode.kerberos.principal': `hdfs/localhost@${realm}`,
  'dfs.datanode.keytab.file': serviceKeytab,
  'dfs.web.authentication.kerberos.principal': `HTTP/localhost@${realm}`,
  'dfs.web.authentication.kerberos.keytab': serviceKeytab,
});

/** Flags of a JVM. Nothing is left in the directory for temporary files, and no other bed's requests count as replays. */
export const kerberosFlags = ({ krb5Conf }: Realm): Record<string, string> => ({
  'java.security.krb5.conf': krb5Conf,
  'sun.security.krb5.rcache': 'none',
});
