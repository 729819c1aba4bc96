// The command: hdfs-fanout beside its peers and its floors, on one pair of clusters, in one run.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Bed, startBed } from '../test/bed/bed.ts';
import { bedHome } from '../test/bed/paths.ts';
import { type Arena, atOnce } from './contestants.ts';
import { copyCase, type Copying } from './copying.ts';
import { prepareHadoop } from './hadoop.ts';
import { daemonHeapMb, describeMachine } from './machine.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { listCase } from './planning.ts';
import { summarize } from './profile.ts';
import { getPydistcp } from './pydistcp.ts';
import { markdownReport, plainReport } from './report.ts';
import type { CaseResult, ListingResult, Results } from './results.ts';

const project = join(import.meta.dirname, '..');
const resultsDir = join(import.meta.dirname, 'results');

const say = (line: string): void => console.error(line);

/** The command line as it is published, and the floor in the same form, from the sources as they stand. */
const bundle = async (scratch: string): Promise<void> => {
  await build({
    entryPoints: { 'hdfs-fanout': join(project, 'cli/main.ts'), floor: join(project, 'bench/floor.ts') },
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
const writeConfig = async (bed: Bed, scratch: string): Promise<string> => {
  const clusters = JSON.parse(await readFile(bed.configFile, 'utf8')) as object;
  const logging = { path: join(scratch, 'pydistcp.log'), level: 'critical' };
  const file = join(scratch, 'clusters.json');
  await writeFile(file, JSON.stringify({ ...clusters, configuration: { logging } }));
  return file;
};

const prepare = async (bed: Bed<'A' | 'B'>, scratch: string, { contestants }: Options): Promise<Arena> => {
  const wanted = (name: string): boolean => contestants.some((contestant) => contestant.name === name);
  await bundle(scratch);
  await prepareHadoop(join(scratch, 'hadoop'), atOnce);
  return {
    source: bed.clusters.A,
    destination: bed.clusters.B,
    configFile: await writeConfig(bed, scratch),
    scratch,
    pydistcp: wanted('pydistcp') ? await getPydistcp(join(bedHome, 'bench-venv'), say) : '',
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
  for (const of of options.cases) {
    await copyCase(of, { ...copying, contestants, rounds: 1, vary });
    for (const { name, title } of contestants) {
      console.log(`\n${of.name}: ${title}\n${await summarize(join(dirOf(name, of.name), 'profile.json'))}`);
    }
  }
};

const compare = async (options: Options, copying: Copying): Promise<Results> => {
  const startedAt = new Date().toISOString();
  const { rounds } = options;
  const cases: CaseResult[] = [];
  const listings: ListingResult[] = [];
  for (const of of options.cases) cases.push(await copyCase(of, copying));
  for (const of of options.listings) {
    listings.push(await listCase(of, copying.arena, copying.servers, rounds, say));
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
    await using bed = await startBed({ separate: true, c2: true, heapMb: daemonHeapMb, say });
    const arena = await prepare(bed, scratch, options);
    const servers = bed.hosts.flatMap(({ pid }) => pid ?? []);
    const copying = { arena, servers, contestants: options.contestants, rounds: options.rounds, say };
    if (options.profile) return await profile(options, copying);
    const results = await compare(options, copying);
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
