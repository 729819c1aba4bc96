// What a later command has to know of a bed that outlives the one that started it.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import type { Cluster } from './cluster.ts';
import { markOf } from './host.ts';
import { runRecords } from './paths.ts';
import { isOurs, stopOurs } from './processes.ts';

export interface BedRecord {
  name: string;
  dir: string;
  configFile: string;
  version: string;
  clusters: Cluster[];
  hosts: { name: string; pid: number; daemons: string[] }[];
}

const pathOf = (name: string): string => {
  if (!/^[\w.-]+$/.test(name)) throw new Error(`a bed's name is made of letters, digits, '.', '_' and '-': ${name}`);
  return join(runRecords, `${name}.json`);
};

export const readRecord = async (name: string): Promise<BedRecord | undefined> => {
  try {
    return JSON.parse(await readFile(pathOf(name), 'utf8')) as BedRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

export const recordedNames = async (): Promise<string[]> => {
  await mkdir(runRecords, { recursive: true });
  const entries = await readdir(runRecords);
  return entries.filter((entry) => entry.endsWith('.json')).map((entry) => entry.slice(0, -'.json'.length));
};

export const writeRecord = async (name: string, bed: Bed): Promise<void> => {
  const { dir, configFile, version } = bed;
  const hosts = bed.hosts.map(({ name: host, pid = 0, daemons }) => ({ name: host, pid, daemons }));
  const record: BedRecord = { name, dir, configFile, version, clusters: Object.values(bed.clusters), hosts };
  await mkdir(runRecords, { recursive: true });
  await writeFile(pathOf(name), `${JSON.stringify(record, undefined, 2)}\n`);
};

export const runs = ({ dir }: BedRecord, pid: number): boolean => isOurs(pid, markOf(dir));

/** Stops what still runs of it and removes its directory and the record itself. */
export const endRecorded = async (record: BedRecord): Promise<void> => {
  await Promise.all(record.hosts.map(({ pid }) => stopOurs(pid, markOf(record.dir))));
  await rm(record.dir, { recursive: true, force: true, maxRetries: 3 });
  await rm(pathOf(record.name), { force: true });
};
