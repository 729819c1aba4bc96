import { findDeployment } from '../shared/aws/deployment.ts';
import { SpecError } from '../shared/errors.ts';
import { userOf } from '../shared/hdfs/auth.ts';
import { clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { pemOf } from '../shared/hdfs/tls.ts';
import { requireZone } from '../shared/limits/limits.ts';
import { exitCodes } from './exit-codes.ts';
import { kerberosTexts } from './kerberos-texts.ts';
import { printEvent } from './output.ts';

/**
 * `hdfs-fanout clusters push [FILE]`: a deployment's secrets from a pywhdfs file. What the definition takes from this machine (the
 * user's name, the text of certificates, a keytab) goes with it. @returns the exit code
 */
export async function pushClusters(
  given: string | undefined,
  flags: { stack: string; json: boolean },
): Promise<number> {
  const file = clustersFile(given);
  const clusters = loadClusters(file);
  const { secrets } = await findDeployment(flags.stack);
  const wanted = secrets.aliases;
  const missing = wanted.filter((alias) => !clusters.has(alias));
  if (missing.length === wanted.length) {
    throw new SpecError(`${file} defines none of ${wanted.join(', ')}`, 'these are what the deployment has');
  }
  // Before the first one is pushed.
  for (const alias of wanted) requireZone(clusters.get(alias)?.max_bandwidth, alias);
  for (const [alias, cluster] of clusters) {
    const pushed = wanted.includes(alias);
    if (pushed) {
      const user = cluster.user ?? (cluster.auth_mechanism === 'NONE' ? userOf(cluster) : undefined);
      await secrets.push({
        ...cluster,
        ...(user === undefined ? {} : { user }),
        ...pemOf(cluster),
        ...kerberosTexts(cluster),
      });
    }
    if (flags.json) printEvent('cluster', { name: alias, pushed });
    else process.stdout.write(`${alias.padEnd(20)} ${pushed ? 'pushed' : `left out: not in ${flags.stack}`}\n`);
  }
  for (const alias of missing)
    process.stderr.write(`hdfs-fanout: ${file} does not define ${alias}, its secret stays\n`);
  return exitCodes.success;
}
