// Hadoop's own copier as a command: DistCp in one JVM, without a cluster of its own to run on.
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { getHadoop } from '../test/bed/jars.ts';
import { hadoopEnvironment, openModules } from '../test/bed/jvm.ts';
import { writeSites } from '../test/bed/site.ts';
import { toolPath } from '../test/bed/tools.ts';
import type { Command } from './measure.ts';

/** The same as the bed's clusters have, where a client decides. */
const clientSettings = {
  'dfs.client.use.datanode.hostname': 'true',
  'dfs.replication': '1',
  'dfs.client.block.write.locateFollowingBlock.initial.delay.ms': '10',
};

/** Writes the configuration. @param scratch  a directory of DistCp's own */
export const prepareHadoop = async (scratch: string, atOnce: number): Promise<void> => {
  await mkdir(scratch, { recursive: true });
  await writeSites(scratch, {
    core: { 'fs.defaultFS': 'file:///', 'hadoop.tmp.dir': join(scratch, 'tmp') },
    hdfs: clientSettings,
    mapred: {
      'mapreduce.framework.name': 'local',
      'mapreduce.local.map.tasks.maximum': String(atOnce),
      'mapreduce.cluster.local.dir': join(scratch, 'local'),
      'mapreduce.jobtracker.staging.root.dir': join(scratch, 'staging'),
    },
  });
};

/** `main` is a class, or a source file that java compiles as it starts. */
export const javaCommand = async (scratch: string, main: string, args: readonly string[]): Promise<Command> => {
  const { classpath } = await getHadoop();
  const flags = ['-Xmx1024m', '-Djava.net.preferIPv4Stack=true', '-Dbed.log.level=WARN', ...openModules];
  return {
    program: toolPath('java'),
    args: [...flags, '-cp', [classpath, scratch].join(delimiter), main, ...args],
    env: hadoopEnvironment(),
  };
};
