// Where the bed keeps what outlives a run: jars, the formatted name directory, and the records of detached beds.
import { join, resolve } from 'node:path';

export const bedSources = import.meta.dirname;
export const bedHome = join(resolve(bedSources, '../..'), '.bed');
export const runRecords = join(bedHome, 'run');
export const defaultVersion = process.env['BED_HADOOP_VERSION'] ?? '3.4.2';
