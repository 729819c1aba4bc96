// Hadoop's own shell: makes many files in one JVM over RPC, ten times as fast as one WebHDFS request after the other.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { getHadoop } from './jars.ts';
import { hadoopEnvironment, openModules } from './jvm.ts';
import { writeSites } from './site.ts';
import { runTool } from './tools.ts';

/** `fsShell('localhost:PORT', ['-touchz', '/a', '/b'])`: paths are taken from the namenode with this RPC address. */
export const fsShell = async (rpc: string, args: string[]): Promise<void> => {
  const hadoop = await getHadoop();
  const own = await mkdtemp(join(tmpdir(), 'hdfs-fanout-shell-'));
  try {
    await writeSites(own, { core: { 'fs.defaultFS': `hdfs://${rpc}`, 'hadoop.tmp.dir': join(own, 'tmp') } });
    const java = ['-Xmx256m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true', ...openModules];
    java.push('-Dbed.log.level=WARN', '-cp', [hadoop.classpath, own].join(delimiter));
    java.push('org.apache.hadoop.fs.FsShell', ...args);
    const { code, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
    if (code !== 0) throw new Error(`hdfs dfs ${args[0] ?? ''} ended with ${code}: ${stderr.slice(-2000)}`);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
};
