/**
 * Works on items side by side, `atOnce` of them at most, and takes the next one only when there is room for it: any number of
 * items, in the memory of a few. The first failure aborts the others, and all have ended when this settles.
 *
 * @param isOver  asked with each item but the first: whether neither it nor another is to be begun
 * @returns the first item that was not begun, when it stopped before the end
 * @throws the first failure
 */
export async function forEach<T>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  isOver: (next: T) => boolean = () => false,
): Promise<{ readonly next: T } | undefined> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const working = new Set<Promise<void>>();
  let next: { readonly next: T } | undefined;
  let begun = false;
  try {
    for await (const item of items) {
      if (both.aborted) break;
      if (begun && isOver(item)) {
        next = { next: item };
        break;
      }
      begun = true;
      const one = work(item, both)
        .catch((error: unknown) => {
          if (!stop.signal.aborted) stop.abort(error);
        })
        .finally(() => working.delete(one));
      working.add(one);
      if (working.size >= atOnce) await Promise.race(working);
    }
  } catch (error) {
    if (!stop.signal.aborted) stop.abort(error);
  }
  await Promise.all(working);
  stop.signal.throwIfAborted();
  signal.throwIfAborted();
  return next;
}
