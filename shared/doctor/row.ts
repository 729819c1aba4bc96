/** Checks in the order in which they run, as the table names them. */
export const checkNames = [
  'name',
  'connection',
  'TLS',
  'authentication',
  'state',
  'version',
  'clock',
  'path',
  'ACL',
  'xattr',
  'checksum',
  'snapshot',
  'datanode',
  'write',
  'rename',
  'concat',
  'delete',
  'quota',
  'space',
] as const;
export type CheckName = (typeof checkNames)[number];

export const rowStates = ['ok', 'warning', 'failed', 'skipped'] as const;
export type RowState = (typeof rowStates)[number];

/** What a check has to say about one target. */
export interface Finding {
  readonly state: RowState;
  /** One line: what was found, or why it was not looked for. Holds no URL and no credential. */
  readonly found: string;
  /** What the reader does about it. */
  readonly remedy?: string | undefined;
}

export interface Row extends Finding {
  readonly name: CheckName;
  /** `host:port`, or the cluster's alias where no host is meant. */
  readonly target: string;
}

export const ok = (found: string): Finding => ({ state: 'ok', found });
export const warning = (found: string, remedy?: string): Finding => ({ state: 'warning', found, remedy });
export const failed = (found: string, remedy?: string): Finding => ({ state: 'failed', found, remedy });
export const skipped = (found: string): Finding => ({ state: 'skipped', found });
