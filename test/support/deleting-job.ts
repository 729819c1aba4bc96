import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalDisk } from '../../shared/disk/local-disk.ts';
import { finish } from '../../shared/finish/finish.ts';
import { newJob } from '../../shared/job/job.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { silentLog } from '../../shared/log.ts';
import { ManifestFile } from '../../shared/machine/manifest-file.ts';
import { SqliteJobStore } from '../../shared/machine/sqlite-job-store.ts';
import { basename } from '../../shared/storage/path.ts';
import type { FileStatus } from '../../shared/storage/storage.ts';
import { never } from './files.ts';
import { noSplits } from './no-splits.ts';
import { SyntheticTree } from './synthetic-tree.ts';

/**
 * Deletes all that a synthetic mirror has, in a process of its own, so that its memory is nobody else's: `node deleting-job.ts FILES`.
 * Prints figures as JSON.
 */
const files = Number(process.argv[2]);
const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-deleting-'));
let deleted = 0;
let peakExternalBytes = 0;

/** What stands at a path is told by its depth. */
class Mirror extends SyntheticTree {
  override async stat(path: string): Promise<FileStatus | undefined> {
    const root = await super.stat('/tree');
    if (!root || path === '/tree') return root;
    const isFile = path.split('/').length === 4;
    return { ...root, name: basename(path), kind: isFile ? 'file' : 'directory', lengthBytes: isFile ? 65_536 : 0 };
  }

  override delete(): Promise<boolean> {
    deleted += 1;
    if (deleted % 1000 === 0) peakExternalBytes = Math.max(peakExternalBytes, process.memoryUsage().external);
    return Promise.resolve(true);
  }
}

/** It has one file that the mirror has not. */
class Source extends LocalDisk {
  override async stat(path: string): Promise<FileStatus | undefined> {
    return path === '/source' ? new Mirror('files', 1000).stat('/tree') : undefined;
  }

  override async *list(path: string): AsyncIterable<readonly FileStatus[]> {
    const root = await this.stat(path);
    if (root) yield [{ ...root, name: 'kept', kind: 'file' }];
  }
}

const store = new SqliteJobStore(join(directory, 'jobs.db'));
const manifests = new ManifestFile(join(directory, 'manifests'));
const options = { mapping: 'exact', delete: true, skipTrash: true, maxDelete: '100%' };
const spec = parseJobSpec({ source: 'a:/source', destination: 'b:/tree', options });
const job = newJob('job', spec, [{ source: '/source', destination: '/tree', kind: 'directory' }], 0);
await store.create(job);
await (await manifests.create(job.id)).close();
const ended = await finish({
  ...{ job, store, manifests, deaths: undefined, owner: 'finisher', ...noSplits, log: silentLog, signal: never },
  source: new Source(65_536),
  destination: new Mirror('files', files),
  deleting: { lists: manifests, track: () => Promise.reject(new Error('no list')), onDeletion: () => undefined },
  isOver: () => false,
});
const counters = Object.fromEntries(await store.counters(job.id));
store.close();
rmSync(directory, { recursive: true });
console.log(JSON.stringify({ outcome: ended?.outcome, files: counters['deletes.files'], deleted, peakExternalBytes }));
