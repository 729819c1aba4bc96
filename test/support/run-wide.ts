/** What a set-up made, and how it ends. */
export interface Started<T> {
  readonly value: T;
  readonly stop: () => Promise<void>;
}

const key = Symbol.for('hdfs-fanout.run-wide');
const kept = globalThis as unknown as Record<symbol, Map<string, Promise<Started<unknown>>> | undefined>;

/**
 * Starts something once for all projects of a test run: vitest evaluates set-up files anew for each project, in one process,
 * and calls all of their ends when the whole run is over.
 */
export function runWide<T>(name: string, start: () => Promise<Started<T>>): Promise<Started<T>> {
  const all = (kept[key] ??= new Map());
  let started = all.get(name) as Promise<Started<T>> | undefined;
  if (started === undefined) {
    started = start().then(({ value, stop }) => {
      let stopped: Promise<void> | undefined;
      return { value, stop: () => (stopped ??= stop()) };
    });
    all.set(name, started);
  }
  return started;
}
