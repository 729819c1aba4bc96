import { Argument, Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { clean, type CleanFlags } from './clean.ts';
import { completion, type Shell, shells } from './completion.ts';
import { copy } from './copy.ts';
import { doctor, type DoctorFlags } from './doctor.ts';
import { estimate, type EstimateFlags } from './estimate.ts';
import { watchCodesHelp } from './exit-codes.ts';
import {
  examples,
  awsExamples,
  retryHelp,
  cleanHelp,
  statusHelp,
  jobsHelp,
  doctorHelp,
  clustersHelp,
  verifyHelp,
  undoHelp,
  completionHelp,
  pruneHelp,
  reportHelp,
  estimateHelp,
  setHelp,
  distcpHelp,
} from './help-texts.ts';
import { jobs } from './jobs.ts';
import {
  addMetricsFlags,
  addMirrorFlags,
  addJobFlags,
  addVerifyFlags,
  type CopyFlags,
  givenFlags,
  only,
  planOnlyOption,
  retryOptions,
  runningOptions,
} from './options.ts';
import { positiveNumber } from './flag-values.ts';
import type { checkClusters } from './check-clusters.ts';
import type { importClusters } from './import-cluster.ts';
import type { listClusters } from './list-clusters.ts';
import type { pruneJobs } from './prune-jobs.ts';
import type { pushClusters } from './push-clusters.ts';
import type { retry, start } from './start.ts';
import type { report } from './report.ts';
import { set, type SetFlags } from './set.ts';
import { verifyLevels } from '../shared/job/verification.ts';
import { status } from './status.ts';
import { undo, type UndoFlags } from './undo.ts';
import type { stop } from './stop.ts';
import { verify, type VerifyFlags } from './verify.ts';
import type { watch } from './watch.ts';

/** Makes a command throw on wrong usage: commander itself would print it in its own way and end the process with 1. */
function configure(command: Command): Command {
  return command.exitOverride().configureOutput({ outputError: () => undefined });
}

/** The command line: every command with its flags and its help. */
export const program = configure(new Command('hdfs-fanout'))
  // Their arguments would leave no room for what they do.
  .configureHelp({ subcommandTerm: (command) => command.name() })
  .description('Copies directory trees between HDFS clusters over WebHDFS and HttpFS, verified and resumable.')
  .version(packageJson.version)
  .enablePositionalOptions()
  .addHelpText('after', examples);

const finish = (work: Promise<number>) => work.then((code) => void (process.exitCode = code));

const copying = addMirrorFlags(
  addJobFlags(configure(program.command('copy', { isDefault: true })).description('copy a tree, on this machine')),
)
  .addOption(planOnlyOption('copy --resume JOB'))
  .option('--track-missing <file>', 'with --exact: list what only the destination has, as JSON lines')
  .option('--conf <file>', 'cluster configuration (default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg)')
  .option(
    '--resume <job>',
    'go on with a job: copies what failed or was not reached; of its options --force, --existing, --verify, --open-files, --live, --threads, --max-failures, --bandwidth, --namenode-ops, --max-delete, --stall-timeout, --min-rate may change',
  )
  .addOption(only)
  .option(
    '--copiers <n>',
    'processes that copy (default: half the cores, at most 8, within a quarter of the memory)',
    positiveNumber,
  )
  .option('--dry-run', 'tell what would be done to each file, and change nothing', false)
  .option('--json', 'one JSON object a line on stdout', false)
  .option('--silent', 'show no progress', false)
  .option('-v, --verbose', 'log to stderr; repeat for more: errors, warnings, info, debug', (_, n: number) => n + 1, 0)
  .option('--log-file <file>', 'log as JSON lines to a file');
addMetricsFlags(copying)
  .addHelpText('after', examples)
  .action((paths: string[], flags: CopyFlags, command: Command) => finish(copy(paths, flags, givenFlags(command))));

configure(program.command('distcp'))
  .description("copy a tree by DistCp's own command line: say what it means here, and do that")
  .usage('[options of DistCp] [flags of copy] SOURCE... TARGET')
  .argument('[words...]')
  .allowUnknownOption()
  .addHelpText('after', distcpHelp)
  .action((words: string[]) =>
    import('./distcp.ts').then((module) =>
      module.distcp(words, copying, (args) => copying.parseAsync(args, { from: 'user' })),
    ),
  );

// The AWS SDK is loaded by the commands that use it: `copy` does not wait for it.
const inAws = (command: Command) =>
  configure(command)
    .option(
      '--stack <name>',
      'the deployment, by the name of its stack',
      process.env['HDFS_FANOUT_STACK'] ?? 'HdfsFanout',
    )
    .option('--json', 'one JSON object a line on stdout', false);
const following = (command: Command) => inAws(command).option('--silent', 'show no progress', false);
const elsewhere = ['--stack <name>', 'look in this deployment in AWS instead of on this machine'] as const;

following(addMirrorFlags(addJobFlags(program.command('start').description('copy a tree, fanned out in AWS'))))
  .addOption(planOnlyOption('retry JOB'))
  .option('--wait', 'follow the job to its end, and exit with its code', false)
  .option('--dry-run', 'tell what would be done to each file, and change nothing', false)
  .addHelpText('after', awsExamples)
  .action((paths: string[], flags: Parameters<typeof start>[1]) =>
    finish(import('./start.ts').then((module) => module.start(paths, flags))),
  );

following(program.command('watch'))
  .description('show the progress of a job in AWS')
  .argument('<job>')
  .addHelpText('after', watchCodesHelp)
  .action((id: string, flags: Parameters<typeof watch>[1]) =>
    finish(import('./watch.ts').then((module) => module.watch(id, flags))),
  );

inAws(program.command('stop'))
  .description('stop a job in AWS; retry goes on with it')
  .argument('<job>')
  .action((id: string, flags: Parameters<typeof stop>[1]) =>
    finish(import('./stop.ts').then((module) => module.stop(id, flags))),
  );

const retrying = following(program.command('retry'))
  .description('copy what failed or was not reached of a job in AWS')
  .argument('<job>')
  .option('--wait', 'follow the job to its end, and exit with its code', false);
retrying.addOption(only);
for (const option of Object.values(retryOptions)) retrying.addOption(option);
retrying
  .addHelpText('after', retryHelp)
  .action((id: string, flags: Parameters<typeof retry>[1], command: Command) =>
    finish(import('./start.ts').then((module) => module.retry(id, flags, givenFlags(command)))),
  );

const clusters = configure(program.command('clusters')).description('the clusters that may stand before :/path');
const defined = (command: Command) =>
  configure(command)
    .option('--conf <file>', 'cluster configuration (default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg)')
    .option('--json', 'one JSON object a line on stdout', false);

defined(clusters.command('import'))
  .description("add a cluster from a Hadoop client's configuration: core-site.xml, hdfs-site.xml, ssl-client.xml")
  .argument('[directory]', 'default: $HADOOP_CONF_DIR, then /etc/hadoop/conf')
  .requiredOption('--name <alias>', 'what it is called here')
  .option('--nameservice <name>', 'this one, in place of what fs.defaultFS names')
  .option('--replace', 'put it in the place of the cluster of that name', false)
  .option('--dry-run', 'print the definition, and change nothing', false)
  .addHelpText('after', clustersHelp)
  .action((directory: string | undefined, flags: Parameters<typeof importClusters>[1]) =>
    finish(import('./import-cluster.ts').then((module) => module.importClusters(directory, flags))),
  );

defined(clusters.command('list'))
  .description('show the clusters and the addresses of their namenodes')
  .action((flags: Parameters<typeof listClusters>[0]) =>
    finish(import('./list-clusters.ts').then((module) => module.listClusters(flags))),
  );

defined(clusters.command('check'))
  .description('look at each cluster as doctor does, without writing: a line each')
  .argument('[cluster...]', 'default: all')
  .addHelpText('after', clustersHelp)
  .action((names: string[], flags: Parameters<typeof checkClusters>[1]) =>
    finish(import('./check-clusters.ts').then((module) => module.checkClusters(names, flags))),
  );

inAws(clusters.command('push'))
  .description('make or update the secrets of a deployment from a pywhdfs file')
  .argument('[file]', 'default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg')
  .action((file: string | undefined, flags: Parameters<typeof pushClusters>[1]) =>
    finish(import('./push-clusters.ts').then((module) => module.pushClusters(file, flags))),
  );

const setting = configure(program.command('set'))
  .description('change the limits of a job while it runs')
  .argument('<job>')
  .option(...elsewhere)
  .option('--json', 'one JSON object a line', false);
for (const option of runningOptions) setting.addOption(option);
setting
  .addHelpText('after', setHelp)
  .action((id: string, flags: SetFlags, command: Command) => finish(set(id, flags, givenFlags(command))));

const listing = configure(program.command('jobs'))
  .description('list jobs, newest first; jobs prune removes old ones')
  .enablePositionalOptions();
listing
  .option(...elsewhere)
  .option('--limit <n>', 'list so many jobs', positiveNumber, 20)
  .option('--json', 'one JSON object a line', false)
  .addHelpText('after', jobsHelp)
  .action((flags: Parameters<typeof jobs>[0]) => finish(jobs(flags)));

configure(listing.command('prune'))
  .description('remove what this machine keeps of jobs that have ended')
  .argument('[job...]', 'these jobs; default: all that are old enough')
  .option('--older-than <time>', 'jobs that ended before: 30d (s, m, h, d, w ago), 2024-01-31')
  .option('--force', 'also those of the named jobs that have not ended, and have left nothing', false)
  .option('--dry-run', 'tell what would be removed, and change nothing', false)
  .option('--json', 'one JSON object a line', false)
  .addHelpText('after', pruneHelp)
  .action((ids: string[], flags: Parameters<typeof pruneJobs>[1]) =>
    finish(import('./prune-jobs.ts').then((module) => module.pruneJobs(ids, flags))),
  );

configure(program.command('status'))
  .description('show the Job Status of a job, or its failed files')
  .argument('<job>')
  .option('--failures', 'show path, operation, host and reason of each failed file', false)
  .option('--limit <n>', 'show so many failures', positiveNumber, 100)
  .option('--after <failure>', 'show the failures that come after this one')
  .option('--report <file>', 'write what a verification or dry run in AWS found, as JSON lines; -: stdout')
  .option(...elsewhere)
  .option('--json', 'one JSON object a line', false)
  .addHelpText('after', statusHelp)
  .action((id: string, flags: Parameters<typeof status>[1]) => finish(status(id, flags)));

configure(program.command('report'))
  .description('write a page on what a job did: for who asked for it, and for an auditor')
  .argument('<job>')
  .option('-o, --output <file>', 'where to (default: hdfs-fanout-JOB.html here; -: stdout)')
  .option(...elsewhere)
  .option('--json', 'the same as JSON, on stdout unless --output says otherwise', false)
  .addHelpText('after', reportHelp)
  .action((id: string, flags: Parameters<typeof report>[1]) =>
    finish(import('./report.ts').then((module) => module.report(id, flags))),
  );

configure(program.command('doctor'))
  .description('find out what keeps a cluster from being copied to or from, here or in AWS')
  .argument('<cluster>', 'its alias')
  .argument('[path]', 'directory to look at and to write to for a moment (default: your home directory)')
  .option('--conf <file>', 'cluster configuration (default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg)')
  .option('--stack <name>', 'look from inside this deployment in AWS, with the definition that was pushed to it')
  .option('--read-only', 'write nothing, not even for a moment', false)
  .option('--json', 'one JSON object a line', false)
  .addHelpText('after', doctorHelp)
  .action((alias: string, path: string | undefined, flags: DoctorFlags) => finish(doctor(alias, path, flags)));

addVerifyFlags(
  configure(program.command('verify'))
    .description('hold a destination against its source, and change nothing')
    .argument('<source>', 'cluster:/path, or local:/path')
    .argument('<destination>', 'the same')
    .addOption(
      new Option(
        '--level <level>',
        'compare files of one length: not at all, by stored checksums (where these cannot be compared, by what is read), or by reading both',
      )
        .choices(verifyLevels)
        .default('checksum'),
    )
    .option('--one-way', 'what only the destination has is no difference', false)
    .option('--report <file>', 'write each finding, and a summary, as JSON lines; -: stdout, as with --json'),
)
  .option('--stack [name]', 'fanned out in AWS, by this deployment (default: $HDFS_FANOUT_STACK, then HdfsFanout)')
  .option('--conf <file>', 'cluster configuration (default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg)')
  .option('--json', 'one JSON object a line on stdout', false)
  .option('--silent', 'show no progress', false)
  .option('-v, --verbose', 'log to stderr; repeat for more: errors, warnings, info, debug', (_, n: number) => n + 1, 0)
  .option('--log-file <file>', 'log as JSON lines to a file')
  .addHelpText('after', verifyHelp)
  .action((source: string, destination: string, flags: VerifyFlags) =>
    finish(
      flags.stack === undefined
        ? verify(source, destination, flags)
        : import('./verify-stack.ts').then((module) => module.verifyInAws(source, destination, flags)),
    ),
  );

configure(program.command('undo'))
  .description('put back what a job replaced or deleted, and remove what it made')
  .argument('<job>')
  .option('--dry-run', 'tell what would be done, and change nothing', false)
  .option('--yes', 'do it without asking', false)
  .option('--skip-trash', 'delete what the job made for good', false)
  .option('--conf <file>', 'cluster configuration')
  .option('--stack <name>', 'a job of this deployment in AWS: refused, with what to do')
  .option('--json', 'one JSON object a line on stdout', false)
  .addHelpText('after', undoHelp)
  .action((id: string, flags: UndoFlags) => finish(undo(id, flags)));

addMirrorFlags(
  addJobFlags(
    configure(program.command('estimate')).description('tell what a copy would do, take and cost, and change nothing'),
  ),
)
  .option('--conf <file>', 'cluster configuration (default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg)')
  .option('--copiers <n>', 'processes that would copy here (default: as for copy)', positiveNumber)
  .option('--aws-copiers <n>', 'copiers of a deployment in AWS', positiveNumber, 20)
  .option('--aws-transfers <n>', 'transfers at once in each of them', positiveNumber, 10)
  .addOption(
    new Option(
      '--sample [seconds]',
      'measure with a sample of the files, which is copied beside the destination and removed (--sample=60; default: 30)',
    )
      .preset('30')
      .argParser(positiveNumber),
  )
  .option('--prices <file>', 'JSON with prices of another region than us-east-1')
  .option('--json', 'one JSON object on stdout', false)
  .option('--silent', 'show no progress', false)
  .option('-v, --verbose', 'log to stderr; repeat for more: errors, warnings, info, debug', (_, n: number) => n + 1, 0)
  .option('--log-file <file>', 'log as JSON lines to a file')
  .addHelpText('after', estimateHelp)
  .action((paths: string[], flags: EstimateFlags) => finish(estimate(paths, flags)));

configure(program.command('clean'))
  .description('delete the temporary files of a job that will not be resumed')
  .argument('<job>')
  .option('--conf <file>', 'cluster configuration')
  .option('--stack <name>', 'a job of this deployment in AWS')
  .addHelpText('after', cleanHelp)
  .action((id: string, flags: CleanFlags) => finish(clean(id, flags)));

configure(program.command('completion'))
  .description('print a script by which a shell completes commands, options, jobs and clusters')
  .addArgument(new Argument('<shell>', 'which one').choices(shells))
  .addHelpText('after', completionHelp)
  .action((shell: Shell) => void (process.exitCode = completion(shell)));
