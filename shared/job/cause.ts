import { printable, SpecError } from '../errors.ts';
import { shellQuoted } from '../shell-quoted.ts';
import { basename } from '../storage/path.ts';
import type { JobStore } from './job-store.ts';
import type { Failure } from './outcome.ts';

const A_PAGE = 1000;
/** A cause is typed or pasted into a shell, characters. */
const LONGEST = 300;
/** Causes that a person is told of, where the one that was asked for is none. */
const LISTED_CAUSES = 20;

/**
 * What failures have in common that have one cause: the operation and the reason, without what is of one file alone. Paths, blocks, hosts and
 * numbers of more than three digits are left out, such as lengths.
 */
export function causeOf({ path, operation, reason }: Failure): string {
  const own = basename(path);
  const at = reason.startsWith('/') && own !== '' ? reason.indexOf(`${own}: `) : -1;
  const told = at < 0 ? reason : reason.slice(at + own.length + 2);
  const common = (path.length > 1 ? told.replaceAll(path, '…') : told)
    .replace(/^chunk \d+ of \d+: /, 'a chunk: ')
    .replace(/"\/[^"]*"/g, '"…"')
    .replace(/(?<![\w/:.])\/[^\s"'():,;]+/g, '…')
    .replace(/\bblk_-?\d+(?:_\d+)?/g, 'blk_N')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, 'HOST')
    .replace(/\b[\w-]+(?:\.[\w-]+)*:\d{2,5}\b/g, 'HOST')
    .replace(/\d{4,}/g, 'N');
  const whole = printable(operation === '' ? common : `${operation}: ${common}`);
  return whole.length <= LONGEST ? whole : `${whole.slice(0, LONGEST - 1)}…`;
}

/** Which failures a person means by the cause that a report names. */
export function hasCause(cause: string): (failure: Failure) => boolean {
  return (failure) => causeOf(failure) === cause;
}

/** @throws SpecError that lists the reasons that there are, where nothing failed for this one */
export async function requireCause(cause: string, id: string, store: Pick<JobStore, 'failures'>): Promise<void> {
  const causes = [...(await causesOf(id, store)).keys()];
  if (causes.includes(cause)) return;
  const listed = causes.slice(0, LISTED_CAUSES).map((each) => shellQuoted(each));
  const more = causes.length > LISTED_CAUSES ? ` and ${causes.length - LISTED_CAUSES} more` : '';
  const remedy = causes.length === 0 ? 'leave out --only' : `the reasons are ${listed.join(', ')}${more}`;
  throw new SpecError(`--only: no file of the job ${printable(id)} failed for ${shellQuoted(cause)}`, remedy);
}

/** Failures of a job by their cause. */
async function causesOf(id: string, store: Pick<JobStore, 'failures'>): Promise<ReadonlyMap<string, number>> {
  const causes = new Map<string, number>();
  let after: string | undefined;
  do {
    const page = await store.failures(id, A_PAGE, after);
    for (const failure of page) {
      const cause = causeOf(failure);
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
    }
    after = page.at(-1)?.sequence;
  } while (after !== undefined);
  return causes;
}
