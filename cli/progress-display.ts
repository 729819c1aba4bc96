import { SingleBar } from 'cli-progress';
import { bytesText } from '../shared/bytes.ts';
import type { Progress } from '../shared/copy/progress.ts';
import { secondsLeft, Speed } from './speed.ts';

const REFRESH_MS = 200;
/** Columns that the progress line leaves free: a line that fills the terminal wraps in some. */
const RESERVED_COLUMNS = 2;
/** Between two lines where stderr is no terminal. */
const PLAIN_EVERY_MS = 30_000;

/** Whether stderr is a terminal whose lines may be written over: whoever wants no colours wants no other escapes. @see https://no-color.org */
export function mayRewriteLines({ NO_COLOR, TERM }: NodeJS.ProcessEnv = process.env): boolean {
  return process.stderr.isTTY && !NO_COLOR && TERM !== 'dumb';
}

/** Shows the progress of a job on stderr until `stop`. */
export function showProgress(progress: Progress, terminal: boolean): { stop: () => void } {
  const [speed, listing] = [new Speed(), new Speed()];
  return showLine((width) => {
    const { listed, moved, planning } = progress;
    const listedPerSecond = listing.of(listed.files + listed.directories);
    const bytesPerSecond = speed.of(moved);
    return planning ? planningLine(progress, listedPerSecond, width) : line(progress, bytesPerSecond, width);
  }, terminal);
}

/** Shows a line on stderr until `stop`: one that changes on a terminal, a plain one now and then elsewhere. */
export function showLine(text: (width?: number) => string, terminal: boolean): { stop: () => void } {
  if (!terminal) {
    const timer = setInterval(() => process.stderr.write(`${text()}\n`), PLAIN_EVERY_MS);
    timer.unref();
    return { stop: () => clearInterval(timer) };
  }
  const bar = new SingleBar({
    format: '{line}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    fps: 1000 / REFRESH_MS,
  });
  const show = () => bar.update(0, { line: text((process.stderr.columns || 80) - RESERVED_COLUMNS) });
  bar.start(1, 0, { line: '' });
  const timer = setInterval(show, REFRESH_MS);
  return {
    stop() {
      clearInterval(timer);
      show();
      bar.stop();
    },
  };
}

/**
 * ` 27.1% 54.1 MiB of 199.5 MiB 22.0 MiB/s 0:07 left [ pending: 32 | transferring: 6 | complete: 4 | failed: 0 ]`, shortened
 * until it fits: first the words to their initials, then what matters least.
 */
export function line(progress: Progress, bytesPerSecond: number, width = Infinity): string {
  const { expectedBytes, expectedFiles, bytes, pending, transferring, complete, failed, copiers } = progress;
  const share = expectedBytes > 0 ? bytes / expectedBytes : expectedFiles > 0 ? (complete + failed) / expectedFiles : 0;
  const percent = `${(Math.min(1, share) * 100).toFixed(1)}%`.padStart(6);
  const seconds = secondsLeft(progress, bytesPerSecond);
  const left = seconds === Infinity ? '' : ` ${clock(seconds)} left`;
  const size = `${bytesText(bytes)} of ${bytesText(expectedBytes)}`;
  const limit = progress.limit();
  const slow = `${bytesText(bytesPerSecond)}/s${left}`;
  const pace = limit === undefined ? slow : `${slow}, ${limit}`;
  const several = copiers > 1 ? ` | copiers: ${copiers}` : '';
  const words = `[ pending: ${pending} | transferring: ${transferring} | complete: ${complete} | failed: ${failed}${several} ]`;
  const initials = `[ P:${pending} T:${transferring} C:${complete} F:${failed} ]`;
  const note = noteOf(progress.atOnce);
  const lines = [
    `${percent} ${size} ${pace} ${words}${note}`,
    `${percent} ${size} ${pace} ${initials}${note}`,
    `${percent} ${bytesText(bytes)} ${pace} ${initials}${note}`,
    ...(limit === undefined ? [] : [`${percent} ${bytesText(bytes)} ${slow} ${initials}${note}`]),
    `${percent} ${initials}${note}`,
    `${percent} ${initials}`,
  ];
  return lines.find((text) => text.length <= width) ?? percent;
}

/** `planning: 123456 files and 789 directories listed, 5210/s; 120000 files in the job`, shortened until it fits. */
export function planningLine({ listed, expectedFiles }: Progress, listedPerSecond: number, width = Infinity): string {
  const { files, directories } = listed;
  const seen = `planning: ${files} files and ${directories} directories listed`;
  const pace = `, ${Math.round(listedPerSecond)}/s`;
  const lines = [`${seen}${pace}; ${expectedFiles} files in the job`, seen + pace, seen, `planning: ${files} files`];
  return lines.find((text) => text.length <= width) ?? 'planning'.slice(0, Math.max(0, width));
}

/** Why there are as many transfers at once as there are, where that changes. */
function noteOf(atOnce: Progress['atOnce']): string {
  if (!atOnce) return '';
  const { first, now, busy } = atOnce;
  return busy ? ` cluster ${busy.cluster} is busy: ${now} of ${busy.of} transfers` : ` ${first} → ${now} at once`;
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = String(Math.floor(whole / 60) % 60);
  const rest = String(whole % 60).padStart(2, '0');
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${minutes.padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
