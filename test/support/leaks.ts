import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What every file below a directory holds, byte for byte. */
export function contentsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'));
}

/** Notes the command lines of every process of the machine. @returns ends that and gives what was noted */
export function watchProcesses(): () => string {
  let seen = '';
  const watch = setInterval(() => (seen += processList()), 50);
  return () => {
    clearInterval(watch);
    return seen;
  };
}

function processList(): string {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
  return lines.join('\n');
}
