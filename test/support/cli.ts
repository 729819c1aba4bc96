import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobStatus } from '../../shared/job/job-status.ts';

const bin = join(import.meta.dirname, '../../bin/hdfs-fanout.js');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The Job Status that was printed. @throws when there is none */
  readonly status: JobStatus;
}

export interface CliOptions {
  /** Cluster configuration file. */
  readonly conf?: string;
  /** Where jobs are kept; a new directory when left out. */
  readonly home?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** In a process group of its own, as a shell starts it. */
  readonly detached?: boolean;
}

/** The command line as a child process, as a user runs it. */
export function startCli(
  args: readonly string[],
  options: CliOptions = {},
): { child: ChildProcess; ended: Promise<CliResult> } {
  const env = {
    ...process.env,
    WEBHDFS_CONFIG: options.conf,
    HDFS_FANOUT_HOME: options.home ?? newHome(),
    ...options.env,
  };
  const { detached = false } = options;
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code,
        stdout,
        stderr,
        get status() {
          return statusIn(stdout);
        },
      }),
    );
  });
  return { child, ended };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

export function newHome(): string {
  return mkdtempSync(join(tmpdir(), 'hdfs-fanout-home-'));
}

function statusIn(stdout: string): JobStatus {
  const at = stdout.indexOf('Job Status:\n');
  if (at >= 0) return JSON.parse(stdout.slice(at + 'Job Status:\n'.length)) as JobStatus;
  const line = stdout.split('\n').find((text) => text.startsWith('{"type":"status"'));
  if (line === undefined) throw new Error(`no Job Status in: ${stdout}`);
  return JSON.parse(line) as JobStatus;
}
