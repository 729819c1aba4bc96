// Hadoop itself: its jars from Maven Central, and around them what the jars alone lack.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import { bedHome, bedSources, defaultVersion } from './paths.ts';
import { requireTools, runToolOrFail } from './tools.ts';

export interface Hadoop {
  version: string;
  /** Tells apart what is made of different jars or launchers. */
  build: string;
  /** For java's -cp, before the daemon's own configuration directory. */
  classpath: string;
  /** Of classes that are loaded and checked already, if there is one (archive.ts). */
  archive?: string;
}

export type Say = (line: string) => void;

const dependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';

// The hdfs jar has no webapps, and a daemon refuses to start without its own; empty directories do.
const webapps = ['hdfs', 'datanode', 'secondary', 'journal', 'static'];

const log4j = `bed.log.level=INFO
log4j.rootLogger=\${bed.log.level},out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss,SSS} %p %c{1}: %m%n
`;

/** For daemons that want a log4j.properties of their own. */
export const writeLogging = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, log4j);
};

const sharedLock = join(bedHome, 'lock');
const temporary = 'making-';

/**
 * Makes a directory under a temporary name and gives it its own only when it is complete, so that an interrupted run
 * leaves nothing that could be taken for a whole one.
 */
export const makeOnce = async (name: string, make: (dir: string) => Promise<void>): Promise<string> => {
  const whole = join(bedHome, name);
  if (existsSync(whole)) return whole;
  await withLock(sharedLock, async () => {
    if (existsSync(whole)) return;
    // Only the holder of the lock makes anything: whatever is half made is an interrupted run's.
    for (const entry of await readdir(bedHome)) {
      if (entry.startsWith(temporary)) await rm(join(bedHome, entry), { recursive: true, force: true });
    }
    const dir = join(bedHome, `${temporary}${name}-${process.pid}`);
    await mkdir(dir);
    try {
      await make(dir);
      await rename(dir, whole);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
  return whole;
};

const download = async (dir: string, version: string, say: Say): Promise<void> => {
  await requireTools(['java', 'javac', 'mvn']);
  say(`getting Hadoop ${version} from Maven Central`);
  const output = join(dir, 'jars');
  const args = ['-q', '-B', '-f', join(bedSources, 'pom.xml'), `-Dh=${version}`, '-DincludeScope=runtime'];
  args.push(`-DoutputDirectory=${output}`, `${dependencyPlugin}:copy-dependencies`);
  await runToolOrFail('mvn', args, `getting Hadoop ${version}`);
  if (!existsSync(output)) throw new Error(`getting Hadoop ${version} gave no jars`);
};

/** A jar and not a directory: a class archive (archive.ts) can only be made of jars. */
const compile = async (dir: string, jars: string, sources: string[]): Promise<void> => {
  await requireTools(['java', 'javac']);
  const classes = join(dir, 'classes');
  for (const webapp of webapps) await mkdir(join(classes, 'webapps', webapp), { recursive: true });
  await writeFile(join(classes, 'log4j.properties'), log4j);
  await runToolOrFail('javac', ['-cp', jars, '-d', classes, ...sources], 'compiling the launcher');
  await runToolOrFail('jar', ['--create', '--file', join(dir, 'bed.jar'), '-C', classes, '.'], 'packing the launcher');
  await rm(classes, { recursive: true });
};

/** The jars, and the launcher compiled against them; at once if they are there. */
export const getHadoop = async (version = defaultVersion, say: Say = () => undefined): Promise<Hadoop> => {
  const lib = await makeOnce(`lib-${version}`, (dir) => download(dir, version, say));
  const jars = join(lib, 'jars', '*');
  const sources = ['Launcher.java', 'Control.java'].map((name) => join(bedSources, name));
  // Named after what it is made of, so that it is made anew when that changes.
  const hash = createHash('sha256').update(log4j);
  for (const source of sources) hash.update(await readFile(source));
  const build = `${version}-${hash.digest('hex').slice(0, 8)}`;
  const launcher = await makeOnce(`launcher-${build}`, (dir) => compile(dir, jars, sources));
  return { version, build, classpath: [join(launcher, 'bed.jar'), jars].join(delimiter) };
};
