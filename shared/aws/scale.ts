/** What bounds the copiers of a job, beside what its own options say. Kept with the job at work. */
export interface Scale {
  /** Transfers at once in one copier. */
  readonly transfers: number;
  /** Copiers at once. */
  readonly copiers: number;
  /** Transfers at once that both clusters allow, if they say. */
  readonly most?: number;
}

/** Copiers at once for so many transfers; for as many as are allowed where `threads` is 0 or auto. */
export function copiersFor(threads: number | 'auto', { transfers, copiers, most = Infinity }: Scale): number {
  const wanted = Math.min(threads === 'auto' || threads === 0 ? Infinity : threads, most);
  return Math.max(1, Math.min(copiers, Math.ceil(wanted / transfers)));
}
