// The command: hdfs-fanout beside its peers and its floors, on one pair of clusters, in one run.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { build } from 'esbuild';
import { type Bed, startBed } from '../test/bed/bed.ts';
import { definitionOf } from '../test/bed/client-config.ts';
import { bedHome } from '../test/bed/paths.ts';
import { TestKerberos } from '../test/support/kerberos.ts';
import { type Arena, atOnce } from './contestants.ts';
import { copyCase, type Copying } from './copying.ts';
import { prepareHadoop } from './hadoop.ts';
import { daemonHeapMb, describeMachine } from './machine.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { listCase } from './planning.ts';
import { summarize } from './profile.ts';
import { getPydistcp } from './pydistcp.ts';
import { useToken } from './requests.ts';
import { markdownReport, plainReport } from './report.ts';
import type { CaseResult, ListingResult, Results } from './results.ts';

const project = join(import.meta.dirname, '..');
const resultsDir = join(import.meta.dirname, 'results');

const say = (line: string): void => console.error(line);

/** The command line as it is published, from the sources as they stand; and the floor. */
const bundle = async (scratch: string): Promise<void> => {
  execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  await build({
    entryPoints: { floor: join(project, 'bench/floor.ts') },
    outdir: scratch,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    packages: 'external',
    logLevel: 'warning',
  });
};

/** pydistcp logs everything to a file unless told otherwise; hdfs-fanout logs nothing. */
const writeConfig = async (clusters: object, scratch: string): Promise<string> => {
  const logging = { path: join(scratch, 'pydistcp.log'), level: 'critical' };
  const file = join(scratch, 'clusters.json');
  await writeFile(file, JSON.stringify({ ...clusters, configuration: { logging } }));
  return file;
};

/** pydistcp gets and renews no token: both copiers are given one for each cluster. */
const withTokens = async (bed: Bed<'A' | 'B'>): Promise<object> => {
  const { A, B } = bed.clusters;
  const definitions = [A, B].map(async (cluster) => {
    const token = await new TestKerberos(cluster).token();
    useToken(cluster.namenodeUrl, token);
    const { name, truststore, nameservices } = definitionOf(cluster);
    return { name, auth_mechanism: 'TOKEN', token, verify: true, truststore, nameservices };
  });
  return { clusters: await Promise.all(definitions) };
};

/** This process trusts both clusters' authorities from now on. @returns the file that holds them */
const trust = async (bed: Bed<'A' | 'B'>, scratch: string): Promise<string> => {
  const authorities = await Promise.all(Object.values(bed.clusters).map(({ ca = '' }) => readFile(ca, 'utf8')));
  setDefaultCACertificates([...getCACertificates(), ...authorities]);
  const file = join(scratch, 'authorities.pem');
  await writeFile(file, authorities.join('\n'));
  return file;
};

const prepare = async (bed: Bed<'A' | 'B'>, scratch: string, options: Options, secure: boolean): Promise<Arena> => {
  const { contestants } = options;
  const clusters = secure ? await withTokens(bed) : (JSON.parse(await readFile(bed.configFile, 'utf8')) as object);
  await bundle(scratch);
  await prepareHadoop(join(scratch, 'hadoop'), atOnce);
  return {
    source: bed.clusters.A,
    destination: bed.clusters.B,
    configFile: await writeConfig(clusters, scratch),
    ...(secure ? { authorities: await trust(bed, scratch) } : {}),
    scratch,
    pydistcp: contestants.some(({ name }) => name.startsWith('pydistcp'))
      ? await getPydistcp(join(bedHome, 'bench-venv'), say)
      : '',
  };
};

/** Profiles what runs on Node: one round after the warm-up, which overwrites the profile of that. */
const profile = async (options: Options, copying: Copying): Promise<void> => {
  const dirOf = (name: string, of: string): string => join(copying.arena.scratch, `${of}-${name}`);
  const contestants = options.contestants.filter(({ name }) => /^(fanout|floor)/.test(name));
  const vary: Copying['vary'] = ({ program, args, ...rest }, { name }, of) => ({
    ...rest,
    program,
    args: ['--cpu-prof', '--cpu-prof-name=profile.json', `--cpu-prof-dir=${dirOf(name, of.name)}`, ...args],
  });
  for (const of of options.cases.filter(({ secure }) => !secure)) {
    await copyCase(of, { ...copying, contestants, rounds: 1, vary });
    for (const { name, title } of contestants.filter((each) => of.contestants.includes(each.name))) {
      console.log(`\n${of.name}: ${title}\n${await summarize(join(dirOf(name, of.name), 'profile.json'))}`);
    }
  }
};

const kerberos = { realm: 'BENCH.TEST' };
const secureClusters = [
  { name: 'A', kerberos },
  { name: 'B', kerberos },
] as const;

/** A pair of clusters for the cases that want such a one. */
const onClusters = async <T>(
  options: Options,
  scratch: string,
  secure: boolean,
  work: (copying: Copying) => Promise<T>,
): Promise<T> => {
  await using bed = await startBed({
    ...(secure ? { clusters: secureClusters } : {}),
    separate: true,
    c2: true,
    heapMb: daemonHeapMb,
    say,
  });
  const arena = await prepare(bed, scratch, options, secure);
  const servers = bed.hosts.flatMap(({ pid }) => pid ?? []);
  return await work({ arena, servers, contestants: options.contestants, rounds: options.rounds, say });
};

const compare = async (options: Options, scratch: string): Promise<Results> => {
  const startedAt = new Date().toISOString();
  const { rounds } = options;
  const cases: CaseResult[] = [];
  const listings: ListingResult[] = [];
  for (const secure of [false, true]) {
    const due = options.cases.filter((of) => (of.secure ?? false) === secure);
    const listed = secure ? [] : options.listings;
    if (due.length + listed.length === 0) continue;
    await onClusters(options, scratch, secure, async (copying) => {
      for (const of of due) cases.push(await copyCase(of, copying));
      for (const of of listed) listings.push(await listCase(of, copying.arena, copying.servers, rounds, say));
    });
  }
  return { startedAt, machine: describeMachine(), rounds, cases, listings };
};

const write = async (results: Results): Promise<void> => {
  await mkdir(resultsDir, { recursive: true });
  const taken = await readdir(resultsDir);
  const date = results.startedAt.slice(0, 10);
  let name = date;
  for (let again = 2; taken.includes(`${name}.json`); again++) name = `${date}-${again}`;
  await writeFile(join(resultsDir, `${name}.json`), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFile(join(resultsDir, `${name}.md`), markdownReport(results));
  await writeFile(join(resultsDir, 'latest.md'), markdownReport(results));
  say(`written to bench/results/${name}.md`);
};

const run = async (options: Options): Promise<void> => {
  await mkdir(bedHome, { recursive: true });
  const scratch = await mkdtemp(join(bedHome, 'bench-'));
  try {
    if (options.profile) return await onClusters(options, scratch, false, (copying) => profile(options, copying));
    const results = await compare(options, scratch);
    console.log(`\n${plainReport(results, !options.quick)}`);
    if (!options.quick) await write(results);
    const failed = [...results.cases, ...results.listings].some(({ rows }) => rows.some(({ error }) => error));
    if (failed) process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else await run(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
