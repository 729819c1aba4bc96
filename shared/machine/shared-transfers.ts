import type { AtOnce } from '../copy/progress.ts';
import type { Job, Transfers } from '../job/job.ts';
import { type Threads, threadsOf } from '../job/threads.ts';
import type { Storage } from '../storage/storage.ts';

/** Transfers at once when neither the options nor a cluster say. */
const DEFAULT_THREADS = 10;
/** With `auto`, the most where no cluster says. */
const AUTO_MOST = 256;

/** Transfers at once of a job that one machine copies, over all its processes. */
export function threadsHere(job: Pick<Job, 'spec'>, source: Storage, destination: Storage): Threads {
  return threadsOf(job, source, destination, DEFAULT_THREADS, AUTO_MOST);
}

/** The transfers of a job dealt out to so many processes, in shares that add up; where there are fewer transfers than processes, one each. */
export function sharesOf({ first, most, isAuto }: Threads, count: number): readonly Threads[] {
  const share = (all: number, index: number) => Math.max(1, Math.floor((all + index) / count));
  return Array.from({ length: count }, (_, index) => ({
    first: share(first, index),
    most: share(most, index),
    isAuto,
  }));
}

/** How many may run at once over all processes. @param of  what each process tells, with its share where it tells nothing */
export function atOnceOver(of: readonly (readonly [AtOnce | undefined, Threads])[]): AtOnce | undefined {
  const busy = of.find(([told]) => told?.busy)?.[0]?.busy;
  if (of.every(([told]) => !told)) return undefined;
  const sum = (number: (told: AtOnce | undefined, share: Threads) => number) =>
    of.reduce((all, [told, share]) => all + number(told, share), 0);
  return {
    first: sum((told, { first }) => told?.first ?? first),
    now: sum((told, { first }) => told?.now ?? first),
    busy: busy && {
      cluster: busy.cluster,
      of: sum((told, { first }) => told?.busy?.of ?? told?.now ?? first),
    },
  };
}

/** What all processes tell together of numbers that have changed. */
export function transfersOver(of: readonly (readonly [Transfers | undefined, Threads])[]): Transfers | undefined {
  if (of.every(([told]) => !told)) return undefined;
  const busy: Record<string, number> = {};
  let [first, last] = [0, 0];
  for (const [told, share] of of) {
    first += told?.first ?? share.first;
    last += told?.last ?? share.first;
    for (const [cluster, times] of Object.entries(told?.busy ?? {})) busy[cluster] = (busy[cluster] ?? 0) + times;
  }
  return { first, last, busy };
}
