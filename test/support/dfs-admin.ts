import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { getHadoop } from '../bed/jars.ts';
import { hadoopEnvironment, openModules } from '../bed/jvm.ts';
import { runTool } from '../bed/tools.ts';

/** Hadoop's own `hdfs dfsadmin`, for what WebHDFS has no operation for. @param rpc  the namenode's RPC address */
export async function dfsAdmin(rpc: string, ...args: string[]): Promise<void> {
  const hadoop = await getHadoop();
  const scratch = await mkdtemp(join(tmpdir(), 'hdfs-fanout-admin-'));
  try {
    const java = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true'];
    java.push(...openModules, `-Dhadoop.tmp.dir=${scratch}`, '-cp', [hadoop.classpath, scratch].join(delimiter));
    java.push('org.apache.hadoop.hdfs.tools.DFSAdmin', '-fs', `hdfs://${rpc}`, ...args);
    const { code, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
    if (code !== 0) throw new Error(`dfsadmin ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
