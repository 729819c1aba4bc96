// What processes use, from Linux's /proc; elsewhere undefined.
import { readFileSync } from 'node:fs';

/** Ticks of /proc a second (USER_HZ), the same on every Linux that Node runs on. */
const ticks = 100;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** User and system time of a process so far, without its children's. */
export const cpuSecondsOf = (pid: number): number => {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is a name in parentheses, which may itself hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticks;
};

/** What all cores together have spent on anything but waiting, and what a hypervisor gave to other machines. */
export const machineCpuSeconds = (): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] =
    /^cpu +(.*)$/m.exec(read('/proc/stat'))?.[1]?.split(' ').map(Number) ?? [];
  return (user + nice + system + irq + softirq + stolen) / ticks;
};

/** Every process below one, but not itself. */
const descendantsOf = (pid: number): number[] => {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').map(Number).filter(Boolean);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
};

const kib = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);

/**
 * Watches the memory of everything below a process. The peak is the larger of two: the highest sum of resident memory that
 * a sample saw, and the highest water mark that the kernel keeps of any one process, which misses no moment.
 */
export class MemoryWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #peakKib = 0;

  constructor(pid: number, everyMs = 50) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  #sample(): void {
    const statuses = descendantsOf(this.#pid).map((pid) => read(`/proc/${pid}/status`));
    const sum = statuses.reduce((total, status) => total + kib(status, 'VmRSS'), 0);
    this.#peakKib = Math.max(this.#peakKib, sum, ...statuses.map((status) => kib(status, 'VmHWM')));
  }

  /** @returns the peak in MiB; undefined where there is no /proc */
  stop(): number | undefined {
    clearInterval(this.#timer);
    return this.#peakKib === 0 ? undefined : this.#peakKib / 1024;
  }
}
