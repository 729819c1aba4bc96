import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Assignment, RunnerMethods } from '../../../../shared/machine/copier-methods.ts';
import { CopierProcess } from '../../../../shared/machine/copier-process.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'hdfs-fanout-copier-'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(top, { recursive: true, force: true });
});

/** A copier process that answers these calls, notes the others as files, and does not end by itself. */
function copierThatAnswers(...methods: readonly string[]) {
  const file = join(top, 'program.mjs');
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs';
    process.on('message', ({ call, method }) => {
      if (${JSON.stringify(methods)}.includes(method)) process.send({ answer: call });
      else writeFileSync(${JSON.stringify(top)} + '/' + method, '');
    });`,
  );
  const copier = new CopierProcess({ file, args: [], flags: [] }, top, 'job', {} as RunnerMethods);
  const called = async (method: string) => {
    while (!existsSync(join(top, method))) await turn();
  };
  return { copier, called };
}

it('is killed when an abort does not end it', async () => {
  const { copier, called } = copierThatAnswers('hold');
  const stop = new AbortController();
  const copying = copier.copy({} as Assignment, stop.signal);
  const thrown = expect(copying).rejects.toMatchObject({ name: 'ChannelClosedError' });
  await called('copy');
  stop.abort(new Error('interrupted'));
  await called('abort');
  vi.advanceTimersByTime(30_000);
  await thrown;
  expect(await copier.end()).toBe('killed by SIGKILL');
});

it('is killed when it does not come to where it takes work', async () => {
  const { copier, called } = copierThatAnswers();
  const copying = copier.copy({} as Assignment, new AbortController().signal);
  const thrown = expect(copying).rejects.toThrow('could not be started: killed by SIGKILL');
  await called('hold');
  vi.advanceTimersByTime(60_000);
  await thrown;
});
