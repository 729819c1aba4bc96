/**
 * Runs tasks side by side like `Promise.all`, except that the first failure aborts the others and all have ended when this
 * settles: nothing of a failed piece of work is on its way any more.
 *
 * @throws the first failure
 */
export async function allOrAbort<const T extends readonly ((signal: AbortSignal) => Promise<unknown>)[]>(
  signal: AbortSignal,
  tasks: T,
): Promise<{ -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const run = async (task: T[number]) => {
    try {
      return await task(both);
    } catch (error) {
      if (!stop.signal.aborted) stop.abort(error);
      throw error;
    }
  };
  const settled = await Promise.allSettled(tasks.map(run));
  if (stop.signal.aborted) throw stop.signal.reason;
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as never;
}
