import { existsSync } from 'node:fs';
import { SpecError } from '../shared/errors.ts';
import { type Cluster, usesKerberos } from '../shared/hdfs/cluster.ts';
import { readKeytab } from '../shared/hdfs/keytab.ts';
import { readNamedFile } from '../shared/hdfs/named-file.ts';

const SYSTEM_CONF = '/etc/krb5.conf';

/**
 * What a Kerberos cluster needs of this machine, as text: its keytab in Base64 and its krb5.conf.
 * @throws SpecError when a file is missing or of no use on another machine
 */
export function kerberosTexts(cluster: Cluster): Pick<Cluster, 'keytab' | 'krb5_conf'> {
  if (!usesKerberos(cluster)) return {};
  const { name, keytab } = cluster;
  if (keytab === undefined) {
    throw new SpecError(`cluster ${name}: keytab: missing: no kinit is run in AWS`, 'name principal and keytab');
  }
  return { keytab: readKeytab(name, keytab).toString('base64'), krb5_conf: confOf(cluster) };
}

function confOf(cluster: Cluster): string {
  const { name, krb5_conf: given = process.env['KRB5_CONFIG'] ?? SYSTEM_CONF } = cluster;
  if (cluster.krb5_conf === undefined && !existsSync(given)) {
    throw new SpecError(
      `cluster ${name}: krb5_conf: missing, and ${given} is not there`,
      'name the krb5.conf of its realm',
    );
  }
  const text = given.includes('\n') ? given : readNamedFile(name, 'krb5_conf', given).toString('utf8');
  const include = /^\s*include(?:dir)?\s.*$/m.exec(text)?.[0].trim();
  if (include !== undefined) {
    throw new SpecError(
      `cluster ${name}: its krb5_conf says "${include}", and only one file goes to AWS`,
      'name a krb5.conf in krb5_conf that has all it needs',
    );
  }
  return `${text.trimEnd()}\n`;
}
