import { randomBytes } from 'node:crypto';

/** `20261123-014838-197ab1`: sorts by time, short in file names, a valid name of an execution. UTC. */
export function newJobId(atMs: number): string {
  const stamp = new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  return `${stamp}-${randomBytes(3).toString('hex')}`;
}
