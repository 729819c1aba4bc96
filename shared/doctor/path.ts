import type { FileStatus } from '../storage/storage.ts';
import { nameserviceFor, nameservicesOf } from '../hdfs/nameservice.ts';
import { type Context, findingOf, needed, type Serving } from './context.ts';
import { type Finding, failed, ok, skipped, warning } from './row.ts';

/** Whether PATH is a directory, at the active namenode of the nameservice that has it. What follows works there. */
export async function path(context: Context): Promise<void> {
  const { cluster, path: given } = context.examination;
  const wanted = given ?? context.endpoints.find(({ home }) => home !== undefined)?.home;
  if (wanted === undefined) {
    const finding = needed('authentication');
    context.serving = finding.found;
    return context.report('path', cluster.name, finding);
  }
  const serving = servingOf(wanted, context);
  if (!('fs' in serving)) {
    context.serving = `needs an active namenode for ${wanted}`;
    return context.report('path', cluster.name, serving);
  }
  context.serving = serving;
  await context.atPath('path', async ({ fs }) => {
    const status = await fs.stat(wanted, context.signal);
    if (status?.kind === 'directory') {
      context.serving = { ...serving, directory: status };
      return ok(described(wanted, status));
    }
    if (status) return failed(`${wanted} is a file`, 'name a directory as PATH');
    if (given !== undefined) return failed(`${wanted} does not exist`, 'name a directory as PATH, or make it');
    const remedy = `name a PATH: hdfs-fanout doctor ${cluster.name} /a/directory/of/yours`;
    return warning(`the home directory ${wanted} does not exist`, remedy);
  });
}

function servingOf(path: string, context: Context): Serving | Finding {
  const { cluster } = context.examination;
  try {
    const nameservices = nameservicesOf(cluster);
    const nameservice = nameservices.indexOf(nameserviceFor(path, nameservices, cluster.name));
    const endpoint = context.endpoints.find((one) => one.nameservice === nameservice && one.active);
    if (!endpoint) return skipped(`needs an active namenode for ${path}`);
    return { endpoint, fs: context.open(endpoint), path, directory: undefined };
  } catch (error) {
    return findingOf(error);
  }
}

function described(path: string, { owner, group, permission, encrypted }: FileStatus): string {
  return `${path} of ${owner}:${group}, ${permission}${encrypted ? ', in an encryption zone' : ''}`;
}
