// The clusters of a bed as a client's configuration names them.
import { writeFile } from 'node:fs/promises';
import type { Cluster } from './cluster.ts';

/** One entry of the file that pywhdfs reads. */
export interface ClusterDefinition {
  name: string;
  auth_mechanism: 'NONE' | 'GSSAPI' | 'TKN_GSSAPI';
  user?: string;
  principal?: string;
  keytab?: string;
  krb5_conf?: string;
  truststore?: string;
  nameservices: { urls: string[]; mounts: string[] }[];
}

/** @param user  by default the superuser; on a cluster with Kerberos, one of its realm's users */
export const definitionOf = (
  { name, namenodes, ca, kerberos }: Cluster,
  user = kerberos ? 'hdfs' : 'root',
): ClusterDefinition => {
  const nameservices = [{ urls: namenodes.map(({ url }) => url), mounts: ['/'] }];
  const trust = ca === undefined ? {} : { truststore: ca };
  if (!kerberos) return { name, auth_mechanism: 'NONE', user, ...trust, nameservices };
  const of = kerberos.users[user];
  if (!of) throw new Error(`the realm ${kerberos.realm} has no user ${user}`);
  return { name, auth_mechanism: 'GSSAPI', ...of, krb5_conf: kerberos.krb5Conf, ...trust, nameservices };
};

export const writeClientConfig = async (path: string, clusters: Cluster[]): Promise<void> => {
  const entries = clusters.map((cluster) => definitionOf(cluster));
  await writeFile(path, `${JSON.stringify({ clusters: entries }, undefined, 2)}\n`);
};
