import { userInfo } from 'node:os';
import { SpecError } from '../errors.ts';
import type { Cluster } from './cluster.ts';

/**
 * Query parameters that authenticate a request to a namenode. A datanode gets what its redirect carries, nothing more.
 * @see Hadoop WebHDFS.md, "Authentication"
 */
export function authParameters(cluster: Cluster): Readonly<Record<string, string>> {
  const impersonate: Record<string, string> = cluster.doas === undefined ? {} : { doas: cluster.doas };
  switch (cluster.auth_mechanism) {
    case 'NONE':
      return { 'user.name': cluster.user ?? userInfo().username, ...impersonate };
    case 'TOKEN':
      // A secure cluster knows the user from the token; an insecure one that hands out tokens wants the name as well.
      return {
        delegation: cluster.token ?? '',
        ...(cluster.user === undefined ? {} : { 'user.name': cluster.user }),
        ...impersonate,
      };
    case 'GSSAPI':
    case 'TKN_GSSAPI':
      throw new SpecError(
        `cluster ${cluster.name}: auth_mechanism ${cluster.auth_mechanism} (Kerberos) is not supported yet`,
        'fetch a token with hdfs fetchdt and use auth_mechanism TOKEN',
      );
  }
}
