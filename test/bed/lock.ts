// One process at a time changes what all beds share.
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './processes.ts';

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

const touchEveryMs = 1000;
const abandonedAfterMs = 10_000;

/**
 * A holder that was killed leaves its file behind. Its process id tells at once; but an id may be in use again, or be
 * of another container, so a lock that is no longer touched counts as abandoned too.
 */
const isAbandoned = async (path: string): Promise<boolean> => {
  try {
    const untouchedMs = Date.now() - (await stat(path)).mtimeMs;
    const holder = Number(await readFile(path, 'utf8'));
    return untouchedMs > abandonedAfterMs || (holder > 0 && !isAlive(holder));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
};

const isMine = async (path: string): Promise<boolean> => {
  try {
    return (await readFile(path, 'utf8')) === String(process.pid);
  } catch {
    return false;
  }
};

const take = async (path: string): Promise<void> => {
  let cleared = false;
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      if (!cleared) return;
      // Another that saw the same abandoned lock may just be clearing it: only what survives is held.
      await sleep(200);
      if (await isMine(path)) return;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
      cleared = true;
    } else await sleep(100);
  }
};

export const withLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
  await take(path);
  const touch = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, touchEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(path, { force: true });
  }
};
