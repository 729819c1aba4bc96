import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHadoop } from '../bed/jars.ts';
import { daemonFlags, hadoopEnvironment } from '../bed/jvm.ts';
import { freePorts } from '../bed/ports.ts';
import { writeSites } from '../bed/site.ts';
import { toolPath } from '../bed/tools.ts';

/** A real HttpFS before a namenode of the bed, in a JVM of its own that ends with this process. */
export interface HttpFs extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
}

const READY_MS = 60_000;

/** @param sites  directory with the namenode's own core-site.xml and hdfs-site.xml, as on a real cluster */
export async function startHttpFs(sites: string): Promise<HttpFs> {
  const hadoop = await getHadoop();
  const [port = 0] = await freePorts(1);
  const home = await mkdtemp(join(tmpdir(), 'hdfs-fanout-httpfs-'));
  const configuration = join(home, 'configuration');
  await Promise.all(['log', 'temp', 'webapps'].map((name) => mkdir(join(home, name))));
  await writeSites(configuration, {
    'httpfs-site': {
      'httpfs.http.port': String(port),
      'httpfs.http.hostname': 'localhost',
      'httpfs.proxyuser.root.hosts': '*',
      'httpfs.proxyuser.root.groups': '*',
      'hadoop.http.max.threads': '50',
    },
  });
  for (const site of ['core-site.xml', 'hdfs-site.xml']) await copyFile(join(sites, site), join(configuration, site));
  await writeFile(join(configuration, 'httpfs-signature.secret'), 'test');
  await writeFile(join(configuration, 'httpfs-log4j.properties'), 'log4j.rootLogger=OFF\n');
  const places = { home, config: configuration, log: join(home, 'log'), temp: join(home, 'temp') };
  const args = [
    ...daemonFlags(),
    ...Object.entries(places).map(([name, dir]) => `-Dhttpfs.${name}.dir=${dir}`),
    '-cp',
    [configuration, hadoop.classpath].join(delimiter),
    'org.apache.hadoop.fs.http.server.HttpFSServerWebServer',
  ];
  const logFile = join(home, 'httpfs.log');
  const log = openSync(logFile, 'a');
  const child = spawn(toolPath('java'), args, { stdio: ['ignore', log, log], env: hadoopEnvironment() });
  closeSync(log);
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.on('error', () => undefined);
  const kill = () => void child.kill('SIGKILL');
  process.on('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    child.kill('SIGKILL');
    await ended;
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  };
  const url = `http://localhost:${port}`;
  const until = Date.now() + READY_MS;
  while (!(await answers(url))) {
    if (child.exitCode === null && child.pid !== undefined && Date.now() < until) {
      await sleep(50);
      continue;
    }
    const said = readFileSync(logFile, 'utf8').slice(-4000);
    await stop();
    throw new Error(`HttpFS did not start: ${said}`);
  }
  return { url, stop, [Symbol.asyncDispose]: stop };
}

async function answers(url: string): Promise<boolean> {
  const question = `${url}/webhdfs/v1/?op=GETFILESTATUS&user.name=root`;
  return fetch(question, { signal: AbortSignal.timeout(5000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
