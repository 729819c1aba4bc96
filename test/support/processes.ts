import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The copier processes of a running command, when there are so many. @throws when they do not come */
export async function copiersOf(runner: number | undefined, count: number): Promise<readonly number[]> {
  for (const untilMs = Date.now() + 60_000; Date.now() < untilMs; await sleep(5)) {
    const children = textOf(`/proc/${runner}/task/${runner}/children`).trim().split(' ').filter(Boolean).map(Number);
    const copiers = children.filter((pid) => textOf(`/proc/${pid}/cmdline`).includes('--copier-process'));
    if (copiers.length >= count) return copiers;
  }
  throw new Error(`process ${runner} has no ${count} copiers`);
}

/** Those of the processes that are at work; one that has ended and was not waited for is not. */
export function alive(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) => /^[^Z]/.test(textOf(`/proc/${pid}/stat`).replace(/^.*\) /s, '')));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
