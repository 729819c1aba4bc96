// Many empty files in one directory: over RPC, many times as fast as a WebHDFS request after the other.
import { join } from 'node:path';
import { getHadoop } from './jars.ts';
import { hadoopEnvironment, openModules } from './jvm.ts';
import { runTool } from './tools.ts';

/** `makeFiles('localhost:PORT', '/wide', 5500)` makes /wide/part-00000 and so on; the address is the namenode's RPC one. */
export const makeFiles = async (rpc: string, directory: string, count: number): Promise<void> => {
  const { classpath } = await getHadoop();
  const java = ['-Xmx256m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true', ...openModules];
  java.push('-Dbed.log.level=WARN', '-cp', classpath, join(import.meta.dirname, 'MakeFiles.java'));
  java.push(`hdfs://${rpc}`, directory, String(count));
  const { code, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
  if (code !== 0) throw new Error(`making files ended with ${code}: ${stderr.slice(-2000)}`);
};
