import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { clean } from './clean.ts';
import { copy } from './copy.ts';
import { exitCodesHelp, explain } from './exit-codes.ts';
import { jobs } from './jobs.ts';
import { addCopyFlags, type CopyFlags, wholeNumber } from './options.ts';
import { printError } from './output.ts';
import { status } from './status.ts';

/** Commander would print wrong usage in its own way and end the process with 1: it throws, and the end of this file tells. */
function configure(command: Command): Command {
  return command.exitOverride().configureOutput({ outputError: () => undefined });
}

const examples = `
Examples:
  hdfs-fanout copy staging:/data/outgoing prod:/data/incoming
  hdfs-fanout copy --force --exact --preserve staging:/data/2024 prod:/data/2024
  hdfs-fanout copy --dry-run 'staging:/logs/dt=2024-01-*' prod:/logs
  hdfs-fanout -f -s staging -d prod /data/outgoing /data/incoming --threads=10
  hdfs-fanout copy local:/tmp/report.csv prod:/reports/
${exitCodesHelp}`;

const program = configure(new Command('hdfs-fanout'))
  .description('Copies directory trees between HDFS clusters over WebHDFS and HttpFS, verified and resumable.')
  .version(packageJson.version)
  .enablePositionalOptions()
  .addHelpText('after', examples);

const finish = (work: Promise<number>) => work.then((code) => void (process.exitCode = code));

addCopyFlags(configure(program.command('copy', { isDefault: true })).description('copy a tree, on this machine'))
  .option('--conf <file>', 'cluster configuration (default: $WEBHDFS_CONFIG, then ~/.webhdfs.cfg)')
  .option('--resume <job>', 'go on with a job: what is recorded done is not copied again, failed files are')
  .option('--dry-run', 'tell what would be done to each file, and change nothing', false)
  .option('--json', 'one JSON object a line on stdout', false)
  .option('--silent', 'no progress', false)
  .option('-v, --verbose', 'log to stderr; repeat for more: errors, warnings, info, debug', (_, n: number) => n + 1, 0)
  .option('--log-file <file>', 'log as JSON lines to a file')
  .addHelpText('after', examples)
  .action((paths: string[], flags: CopyFlags) => finish(copy(paths, flags)));

configure(program.command('jobs'))
  .description('list the jobs of this machine, newest first')
  .option('--limit <n>', 'how many', wholeNumber, 20)
  .option('--json', 'one JSON object a line', false)
  .action((flags: Parameters<typeof jobs>[0]) => finish(jobs(flags)));

configure(program.command('status'))
  .description('show the Job Status of a job, or its failed files')
  .argument('<job>')
  .option('--failures', 'path, operation, host and reason of each failed file', false)
  .option('--limit <n>', 'failures a page', wholeNumber, 100)
  .option('--after <sequence>', 'the page after this failure', wholeNumber, 0)
  .option('--json', 'one JSON object a line', false)
  .addHelpText('after', exitCodesHelp)
  .action((id: string, flags: Parameters<typeof status>[1]) => finish(status(id, flags)));

configure(program.command('clean'))
  .description('delete the temporary files of a job that will not be resumed')
  .argument('<job>')
  .option('--conf <file>', 'cluster configuration')
  .action((id: string, flags: { conf?: string }) => finish(clean(id, flags)));

try {
  await program.parseAsync();
} catch (error) {
  // Help and version end in an error with code 0: they were printed.
  if (!(error instanceof CommanderError && error.exitCode === 0)) {
    const { message, code } = explain(error);
    printError(message, false);
    process.exitCode = code;
  }
}
