import { clustersFile, loadClusters } from '../shared/hdfs/cluster.ts';
import { exitCodes } from './exit-codes.ts';
import { printEvent } from './output.ts';

/** `hdfs-fanout clusters list`: what may stand before `:/path`, a nameservice a line. @returns the exit code */
export function listClusters(flags: { conf?: string; json: boolean }): number {
  for (const [alias, { auth_mechanism, nameservices }] of loadClusters(clustersFile(flags.conf))) {
    if (flags.json) printEvent('cluster', { name: alias, auth_mechanism, nameservices });
    else {
      for (const { urls, mounts } of nameservices) {
        process.stdout.write(`${alias.padEnd(20)} ${auth_mechanism.padEnd(10)} ${mounts.join(',')}\n`);
        for (const url of urls) process.stdout.write(`  ${url}\n`);
      }
    }
  }
  return exitCodes.success;
}
