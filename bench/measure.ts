// Runs a command to its end and tells what it took.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { cpuSecondsOf, machineCpuSeconds, MemoryWatch } from './usage.ts';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface Measured {
  readonly wallSeconds: number;
  /** User and system time of the command and of everything it started. */
  readonly cpuSeconds: number;
  /** Undefined where the system does not tell. */
  readonly peakMiB: number | undefined;
  /** What the clusters' daemons spent meanwhile. */
  readonly serverCpuSeconds: number;
  /** What everything else on the machine spent meanwhile; a quiet machine has next to none. */
  readonly otherCpuSeconds: number;
}

export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** bash's own `time` counts every process it waited for, those that these waited for included. */
const script = 'TIMEFORMAT="%3R %3U %3S"; time "$@" 2>&3';

/**
 * @param servers  process ids of the clusters' daemons
 * @throws CommandError when it does not end with 0
 */
export const measure = async (
  { program, args, env }: Command,
  servers: readonly number[],
): Promise<{ readonly measured: Measured; readonly stdout: string }> => {
  const serverSeconds = (): number => servers.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  const before = { machine: machineCpuSeconds(), servers: serverSeconds() };
  const own = process.cpuUsage();
  const child = spawn('bash', ['-c', script, 'bash', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', ...env },
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const memory = new MemoryWatch(child.pid ?? 0);
  try {
    const [, out, timed, said] = child.stdio as unknown as [null, Readable, Readable, Readable];
    const [stdout, times, stderr] = await Promise.all([text(out), text(timed), text(said)]);
    const [code] = await ended;
    if (code !== 0) throw new CommandError(`${program} ended with ${code}\n${endsOf(`${stdout}\n${stderr}`)}`);
    const [wallSeconds = NaN, user = NaN, system = NaN] = times.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    const cpuSeconds = user + system;
    const serverCpuSeconds = serverSeconds() - before.servers;
    const { user: ownUser, system: ownSystem } = process.cpuUsage(own);
    const ours = cpuSeconds + serverCpuSeconds + (ownUser + ownSystem) / 1e6;
    const otherCpuSeconds = Math.max(0, machineCpuSeconds() - before.machine - ours);
    const measured = { wallSeconds, cpuSeconds, peakMiB: memory.stop(), serverCpuSeconds, otherCpuSeconds };
    return { measured, stdout };
  } finally {
    memory.stop();
  }
};

/** The first lines name the error, the last where it led; a Java trace between them tells little. */
const endsOf = (output: string): string => {
  const lines = output.trim().split('\n');
  return lines.length <= 12 ? lines.join('\n') : [...lines.slice(0, 6), '…', ...lines.slice(-6)].join('\n');
};
