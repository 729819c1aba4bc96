// Processes known by id only: is it there, is it ours, how large is it, stop it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const ask = (pid: number, field: string): string => {
  try {
    return execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
};

/** Empty for a process that is gone, and for one that has ended but is not yet collected by its parent. */
const commandLine = (pid: number): string => {
  if (!existsSync('/proc/self/cmdline')) return ask(pid, 'command');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** Process ids are used again: one on record is ours only if its command line bears the bed's mark. */
export const isOurs = (pid: number, mark: string): boolean => commandLine(pid).includes(mark);

export const residentMiB = (pid: number): number => {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    return Math.round(Number(ask(pid, 'rss')) / 1024);
  }
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // it ended in between
  }
};

/** Asks a process that bears the mark to end, and ends it if it does not. */
export const stopOurs = async (pid: number, mark: string, patienceMs = 5000): Promise<void> => {
  if (!isOurs(pid, mark)) return;
  signal(pid, 'SIGTERM');
  signal(pid, 'SIGCONT'); // a suspended process acts on no other signal
  const deadline = Date.now() + patienceMs;
  while (isOurs(pid, mark) && Date.now() < deadline) await sleep(20);
  if (isOurs(pid, mark)) signal(pid, 'SIGKILL');
  while (isOurs(pid, mark)) await sleep(20);
};
