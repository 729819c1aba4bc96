// A formatted name directory, made once per Hadoop version: a copy of it is there at once, a format takes seconds.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Hadoop, makeOnce } from './jars.ts';
import { daemonFlags, hadoopEnvironment } from './jvm.ts';
import { coreSettings, hdfsSettings, namenodeSettings } from './settings.ts';
import { writeSites } from './site.ts';
import { runTool, toolPath } from './tools.ts';

const namenodeClass = 'org.apache.hadoop.hdfs.server.namenode.NameNode';

const format = async (hadoop: Hadoop, dir: string): Promise<void> => {
  const configuration = join(dir, 'configuration');
  const place = { rpc: 'localhost:0', http: 'localhost:0' };
  const options = { name: 'template' };
  await writeSites(configuration, {
    core: coreSettings(place.rpc, join(dir, 'scratch')),
    hdfs: { ...hdfsSettings(options, [place]), ...namenodeSettings(options, 1, join(dir, 'name')) },
  });
  const classpath = [hadoop.classpath, configuration].join(delimiter);
  const args = ['-format', '-force', '-nonInteractive', '-clusterId', 'template'];
  const java = [...daemonFlags(), '-cp', classpath, namenodeClass, ...args];
  const { code, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
  if (code !== 0)
    throw new Error(`formatting failed (${toolPath('java')} exited with ${code})\n${stderr.slice(-4000)}`);
  await rm(configuration, { recursive: true });
};

export const nameTemplate = (hadoop: Hadoop): Promise<string> =>
  makeOnce(`name-${hadoop.version}`, (dir) => format(hadoop, dir));

/** Puts a freshly formatted, empty name directory at `directory`; each has a cluster and block pool id of its own. */
export const formatted = async (hadoop: Hadoop, directory: string, clusterId: string): Promise<void> => {
  const template = await nameTemplate(hadoop);
  await mkdir(directory, { recursive: true });
  await cp(join(template, 'name'), directory, { recursive: true });
  const version = join(directory, 'current/VERSION');
  const pool = `BP-${randomBytes(4).readUInt32BE()}-127.0.0.1-${Date.now()}`;
  const text = await readFile(version, 'utf8');
  const own = text
    .replace(/^clusterID=.*$/m, `clusterID=${clusterId}`)
    .replace(/^blockpoolID=.*$/m, `blockpoolID=${pool}`);
  await writeFile(version, own);
};

/** What a namenode's standby starts from, and the directory through which edits reach it. */
export const formattedStandby = async (active: string, standby: string, sharedEdits: string): Promise<void> => {
  await cp(active, standby, { recursive: true });
  await mkdir(join(sharedEdits, 'current'), { recursive: true });
  for (const file of ['VERSION', 'seen_txid'])
    await cp(join(active, 'current', file), join(sharedEdits, 'current', file));
};
