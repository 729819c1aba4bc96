// The clusters of a bed as a client's configuration names them.
import { writeFile } from 'node:fs/promises';
import type { Cluster } from './cluster.ts';

/** In the form pywhdfs reads. */
export const writeClientConfig = async (path: string, clusters: Cluster[]): Promise<void> => {
  const entries = clusters.map(({ name, namenodeUrl }) => ({
    name,
    auth_mechanism: 'NONE',
    user: 'root',
    nameservices: [{ urls: [namenodeUrl], mounts: ['/'] }],
  }));
  await writeFile(path, `${JSON.stringify({ clusters: entries }, undefined, 2)}\n`);
};
