import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpecError } from '../errors.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import type { Credential } from './cluster-secrets.ts';

let directory: string | undefined;

/**
 * Writes a cluster's keytab, which its secret holds as text, to a file that only this process's user may read: libkrb5 takes keytabs
 * from files alone. @returns the cluster's definition, naming that file. @throws SpecError without a keytab
 */
export function withKeytab(cluster: Cluster, { keytab }: Credential): Cluster {
  if (keytab === undefined) {
    throw new SpecError(
      `cluster ${cluster.name} has auth_mechanism ${cluster.auth_mechanism}, and no keytab was pushed`,
      'name principal and keytab in the configuration, then hdfs-fanout clusters push FILE',
    );
  }
  directory ??= mkdtempSync(join(tmpdir(), 'hdfs-fanout-keytabs-'));
  const file = join(directory, `${cluster.name}.keytab`);
  // In one step: a login that is under way reads the old one or the new one, never a part.
  writeFileSync(`${file}.new`, Buffer.from(keytab, 'base64'), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return { ...cluster, keytab: file };
}
