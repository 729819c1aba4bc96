// An archive of the classes that daemons load: with it a JVM needs about half the time to start.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, prepareClusters } from './cluster.ts';
import { nameTemplate } from './format.ts';
import { Host } from './host.ts';
import { type Hadoop, type Say, makeOnce } from './jars.ts';
import { jvmHost } from './launch.ts';
import { bedHome } from './paths.ts';
import { waitReady } from './ready.ts';
import { toolPath } from './tools.ts';

const file = 'classes.jsa';

/** What is loaded only with the first requests belongs into the archive too. */
const exercise = async ({ namenodeUrl, rpc, datanodes }: Cluster): Promise<void> => {
  const datanode = `http://${datanodes[0]?.httpAddress}`;
  for (const url of [
    `${namenodeUrl}/webhdfs/v1/?op=LISTSTATUS&user.name=root`,
    `${datanode}/webhdfs/v1/none?op=OPEN&user.name=root&namenoderpcaddress=${rpc}`,
  ]) {
    await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).arrayBuffer();
  }
};

/** A JVM writes the archive when it ends: one cluster comes up, does a little, and goes. */
const train = async (hadoop: Hadoop, archive: string): Promise<void> => {
  const dir = await mkdtemp(join(await realpath(tmpdir()), 'hdfs-fanout-bed-'));
  try {
    await mkdir(join(dir, 'logs'));
    const { clusters } = await prepareClusters(hadoop, dir, [{ name: 'training' }]);
    const daemons = clusters.flatMap((cluster) => cluster.daemons);
    const host = new Host(jvmHost('training', daemons, { hadoop, dir, removed: dir, archive: { make: archive } }));
    host.start();
    try {
      await waitReady(clusters, [host], 60_000);
      for (const cluster of clusters) await exercise(cluster);
    } finally {
      await host.stop(60_000);
    }
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
  if (!existsSync(archive)) throw new Error('the JVM wrote none');
};

/** The same Hadoop, quicker to start; without an archive if none can be made, for nothing else depends on it. */
export const withArchive = async (hadoop: Hadoop, say: Say = () => undefined): Promise<Hadoop> => {
  // An archive is good for one JVM and for jars at the same paths; any other JVM starts without it.
  const place = createHash('sha256')
    .update(`${bedHome}\n${toolPath('java')}`)
    .digest('hex')
    .slice(0, 8);
  const name = `archive-${hadoop.build}-${place}`;
  try {
    await nameTemplate(hadoop); // training needs it, and what is being made cannot wait for something else to be made
    const dir = await makeOnce(name, async (making) => {
      say('preparing quicker starts');
      await train(hadoop, join(making, file));
    });
    return { ...hadoop, archive: join(dir, file) };
  } catch (error) {
    say(`starting without a class archive: ${(error as Error).message}`);
    return hadoop;
  }
};
