import { existsSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { messageOf, SpecError } from '../shared/errors.ts';
import { importCluster, type ImportedCluster } from '../shared/hadoop-conf/definition.ts';
import { clustersFile, parseClusters } from '../shared/hdfs/cluster.ts';
import { exitCodes } from './exit-codes.ts';
import { printEvent, printNote } from './output.ts';

interface ImportFlags {
  name: string;
  nameservice?: string;
  conf?: string;
  replace: boolean;
  dryRun: boolean;
  json: boolean;
}

/** Where Hadoop's packages keep a client's configuration. */
const USUAL_DIRECTORY = '/etc/hadoop/conf';
/** May come to hold passwords. */
const OWNER_ONLY = 0o600;

/**
 * `hdfs-fanout clusters import [DIRECTORY]`: a cluster of the clusters' file from a Hadoop client's configuration. The file is made where
 * there is none, and is whole or as it was. What the configuration does not tell goes to stderr. @returns the exit code
 */
export function importClusters(given: string | undefined, flags: ImportFlags): number {
  const directory = given ?? process.env['HADOOP_CONF_DIR'] ?? USUAL_DIRECTORY;
  const { cluster, notes } = importCluster(directory, flags.name, flags.nameservice);
  const file = clustersFile(flags.conf);
  const text = withCluster(file, cluster, flags.replace);
  if (!flags.dryRun) write(file, text);
  const urls = cluster.nameservices.flatMap((nameservice) => nameservice.urls);
  if (flags.json) printEvent('cluster', { ...cluster, notes });
  else if (flags.dryRun) process.stdout.write(`${JSON.stringify(cluster, undefined, 2)}\n`);
  else
    process.stdout.write(
      `${cluster.name} (${urls.join(', ')}) is in ${file}\ntry it: hdfs-fanout doctor ${cluster.name}\n`,
    );
  for (const note of notes) printNote(note);
  return exitCodes.success;
}

/** The text of the clusters' file with one more cluster, or another one in its place. @throws SpecError */
function withCluster(file: string, cluster: ImportedCluster, mayReplace: boolean): string {
  const document = existsSync(file) ? documentIn(file) : { clusters: [] };
  const index = document.clusters.findIndex(({ name }) => name === cluster.name);
  if (index >= 0 && !mayReplace) {
    throw new SpecError(`${file} defines ${cluster.name} already`, 'name another one with --name, or add --replace');
  }
  const clusters = index < 0 ? [...document.clusters, cluster] : document.clusters.with(index, cluster);
  const text = `${JSON.stringify({ ...document, clusters }, undefined, 2)}\n`;
  // Whatever is wrong with the definition is told before the file is touched.
  parseClusters(text, `the definition of ${cluster.name}`);
  return text;
}

/** As it is written, so that nothing of the others changes. */
function documentIn(file: string): { readonly clusters: readonly { readonly name: string }[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SpecError(`cannot read ${file}: ${messageOf(error)}`, 'name another file with --conf', error);
  }
  parseClusters(text, file);
  return JSON.parse(text) as ReturnType<typeof documentIn>;
}

function write(file: string, text: string): void {
  const target = existsSync(file) ? realpathSync(file) : file;
  const unfinished = `${target}.unfinished-${process.pid}`;
  try {
    const mode = existsSync(target) ? statSync(target).mode & 0o777 : OWNER_ONLY;
    writeFileSync(unfinished, text, { mode, flag: 'wx', flush: true });
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new SpecError(`cannot write ${file}: ${messageOf(error)}`, 'name another file with --conf', error);
  }
}
