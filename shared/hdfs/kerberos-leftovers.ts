import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** `hdfs-fanout-krb5-<where>-<pid>-<start>-<random>`: the process that made it, among all that share this temporary directory. */
const NAME = /^hdfs-fanout-krb5-([0-9a-f]{8})-(\d+)-(\d+)-\w+$/;

/** A directory for the tickets and keytabs of this process, which it removes at its end. */
export function makeKerberosHome(): string {
  const { pid } = process;
  const directory = mkdtempSync(join(tmpdir(), `hdfs-fanout-krb5-${whereabouts()}-${pid}-${startOf(pid) ?? 0}-`));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Removes the directories that killed processes of this user and machine have left. Never throws: no job depends on it. */
export function removeKerberosLeftovers(): void {
  try {
    const here = whereabouts();
    for (const name of readdirSync(tmpdir())) {
      const [, where, pid, start] = NAME.exec(name) ?? [];
      if (where !== here || isAlive(Number(pid), Number(start))) continue;
      removeOwn(join(tmpdir(), name));
    }
  } catch {
    // The next start tries again.
  }
}

/** Removes the directories of a process of this one's that was killed. Never throws. */
export function removeKerberosHomesOf(killed: number): void {
  try {
    const here = whereabouts();
    for (const name of readdirSync(tmpdir())) {
      const [, where, pid] = NAME.exec(name) ?? [];
      if (where === here && Number(pid) === killed) removeOwn(join(tmpdir(), name));
    }
  } catch {
    // The next start of the command removes it.
  }
}

function removeOwn(directory: string): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  // Somebody else may give such a name to something of theirs.
  if (stat?.isDirectory() && stat.uid === process.getuid?.()) rmSync(directory, { recursive: true, force: true });
}

/** Where process ids mean the same: a host, and a container in it. */
function whereabouts(): string {
  let namespace = '';
  try {
    // Hosts may share a name and a temporary directory, and number their namespaces alike.
    namespace = `${readlinkSync('/proc/self/ns/pid')} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    // Elsewhere than on Linux all process ids are of one namespace.
  }
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}

function isAlive(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  // Another process may have the number by now.
  return now === undefined || now === start;
}

/** When a process started, in ticks since boot. @see proc_pid_stat(5), field 22 */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
