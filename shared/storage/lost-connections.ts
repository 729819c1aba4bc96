const TOLD = /^connections to the datanode (\S+) of \S+ that died or stalled$/;

/** What a person is told of lost connections. @param who  `the datanode HOST:PORT`, or `other datanodes` */
export function lostConnectionsTo(who: string, cluster: string): string {
  return `connections to ${who} of ${cluster} that died or stalled`;
}

/** Lost connections by datanode, `host:port`, among what a person is told. */
export function lostByDatanode(told: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  const lost = new Map<string, number>();
  for (const [text, count] of Object.entries(told)) {
    const host = TOLD.exec(text)?.[1];
    if (host !== undefined) lost.set(host, (lost.get(host) ?? 0) + count);
  }
  return lost;
}
