import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { getHadoop } from '../bed/jars.ts';
import { hadoopEnvironment, openModules } from '../bed/jvm.ts';
import { runTool } from '../bed/tools.ts';

/** Hadoop's own `hdfs dfsadmin`, for what WebHDFS has no operation for. @param rpc  the namenode's RPC address */
export function dfsAdmin(rpc: string, ...args: string[]): Promise<void> {
  return runMain('org.apache.hadoop.hdfs.tools.DFSAdmin', rpc, args);
}

/** Hadoop's own `hdfs dfs`, whose client computes checksums as its properties (`-Dname=value`) say: over WebHDFS the datanode's do. */
export function fsShell(rpc: string, ...args: string[]): Promise<void> {
  return runMain('org.apache.hadoop.fs.FsShell', rpc, args);
}

async function runMain(name: string, rpc: string, args: readonly string[]): Promise<void> {
  const hadoop = await getHadoop();
  const scratch = await mkdtemp(join(tmpdir(), 'hdfs-fanout-admin-'));
  try {
    await writeFile(join(scratch, 'core-site.xml'), '<configuration/>');
    const java = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true'];
    java.push(...openModules, `-Dhadoop.tmp.dir=${scratch}`, '-cp', [hadoop.classpath, scratch].join(delimiter));
    java.push(name, '-fs', `hdfs://${rpc}`, ...args);
    const { code, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
    if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
