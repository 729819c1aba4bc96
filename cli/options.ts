import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseJobSpec, type JobSpec, verificationLevels } from '../shared/copy/spec.ts';
import { SpecError } from '../shared/errors.ts';

/** What describes a job on the command line, as commander gives it. */
export interface JobFlags {
  src?: string;
  dest?: string;
  force: boolean;
  preserve: boolean;
  strictPreserve: boolean;
  filesOnly: boolean;
  checksum: boolean;
  verify: string;
  direct: boolean;
  exact: boolean;
  threads: number;
  partSize: number;
  bufferSize: number;
  minSize: number;
  includePattern: string;
  maxFailures: number;
}

/** What `copy` takes besides. */
export interface CopyFlags extends JobFlags {
  conf?: string;
  resume?: string;
  dryRun: boolean;
  json: boolean;
  silent: boolean;
  verbose: number;
  logFile?: string;
}

/** Flags of every command that starts a job: pydistcp's with their meaning, then ours. */
export function addJobFlags(command: Command): Command {
  return command
    .argument('[paths...]', 'SOURCE... DESTINATION, each cluster:/path; plain paths with -s and -d')
    .option('-s, --src <cluster>', 'alias of the source cluster, or local')
    .option('-d, --dest <cluster>', 'alias of the destination cluster, or local')
    .option('-f, --force', 'overwrite existing files that differ', false)
    .option('-p, --preserve', 'preserve owner, group, permission, times, replication, block size, ACL, xattrs', false)
    .option('--strict-preserve', 'a file whose attributes cannot be set fails', false)
    .option('--exact', 'the destination is the copied root, existing or not (cp -T)', false)
    .option('--no-checksum', 'do not compare existing files: always overwrite (with --force)')
    .addOption(
      new Option('--verify <level>', 'how each copied file is verified')
        .choices(verificationLevels)
        .default('checksum'),
    )
    .option('--direct', 'write to the final name: no temporary file, no atomic rename', false)
    .option('--files-only', 'flatten: all files directly under the destination', false)
    .option('--include-pattern <glob>', 'only files whose base name matches, hidden ones too', '*')
    .option('--min-size <bytes>', 'only files of at least this size', wholeNumber, 0)
    .option('--max-failures <n>', 'stop the job when more files than this have failed', wholeNumber, 1000)
    .option('--threads <n>', 'transfers at once; 0: as many as both clusters allow', wholeNumber, 0)
    .option('--part-size <bytes>', 'bytes read at once from the local disk, a power of two', wholeNumber, 65_536)
    .option('--buffer-size <bytes>', 'accepted for compatibility, a power of two', wholeNumber, 65_536);
}

/** @throws SpecError */
export function specOf(paths: readonly string[], flags: JobFlags): JobSpec {
  if (paths.length < 2) throw new SpecError('source and destination are needed', 'see hdfs-fanout copy --help');
  const located = paths.map((path, index) => {
    const alias = index === paths.length - 1 ? flags.dest : flags.src;
    return alias === undefined ? path : `${alias}:${path}`;
  });
  return parseJobSpec({
    source: located.slice(0, -1),
    destination: located.at(-1),
    options: {
      force: flags.force,
      mapping: flags.exact ? 'exact' : 'cp',
      preserve: flags.preserve || flags.strictPreserve,
      strictPreserve: flags.strictPreserve,
      checksum: flags.checksum,
      verify: flags.verify,
      direct: flags.direct,
      threads: flags.threads,
      partSize: flags.partSize,
      bufferSize: flags.bufferSize,
      includePattern: flags.includePattern,
      minSize: flags.minSize,
      filesOnly: flags.filesOnly,
      maxFailures: flags.maxFailures,
    },
  });
}

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}
