/** One source match and where it goes. Resolved once, at planning, and kept with the job: resume and retry reuse it. */
export interface Root {
  readonly source: string;
  readonly destination: string;
  readonly kind: 'file' | 'directory';
  /** The path that was asked for, where `source` is its image in a snapshot. */
  readonly live?: string;
}

/** The source's path as a person knows it, which is that of the filters too. */
export function livePath({ source, live = source }: Pick<Root, 'source' | 'live'>): string {
  return live;
}

/** The roots as they were before there was a snapshot. */
export function liveRoots(roots: readonly Root[]): Root[] {
  return roots.map(({ live, ...root }) => ({ ...root, source: live ?? root.source }));
}
