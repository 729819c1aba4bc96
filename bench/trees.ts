// Lays out the sources, empties the destination, and sees that what was copied is all there.
import { execFile } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster } from '../test/bed/bed.ts';
import { ContentDigest, type JsonChecksum, parseFileChecksum, usualLayout } from '../shared/storage/checksum.ts';
import { blockBytes, type Case, pathsOf, totalBytes } from './cases.ts';
import { ask, askJson, checksumUrl, forEachOf, locate, upload, urlOf } from './requests.ts';

const atOnce = 10;
const pieceBytes = 1024 * 1024;
/** A destination's blocks are deleted after the answer; whoever comes next shall not pay for it. */
const deletedWithinMs = 60_000;
/** Files whose stored checksums are looked at after each run, besides all counts and bytes. */
const sampled = 16;

/** Bytes that neither compress nor repeat, and that are others in every file. */
function* content(seed: number, lengthBytes: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'hdfs-fanout'), Buffer.alloc(16, `${seed}/`));
  const zeros = Buffer.alloc(Math.min(pieceBytes, lengthBytes));
  for (let left = lengthBytes; left > 0; left -= pieceBytes) {
    yield cipher.update(left < pieceBytes ? zeros.subarray(0, left) : zeros);
  }
}

/** Creates files with that content, or empty ones. @param blockBytes  by default the cluster's own */
export const layOut = async (
  { namenodeUrl }: Cluster,
  root: string,
  paths: readonly string[],
  fileBytes: number,
  blockBytes?: number,
): Promise<void> => {
  const parameters = `&overwrite=true${blockBytes === undefined ? '' : `&blocksize=${blockBytes}`}`;
  await forEachOf(paths.entries(), atOnce, async ([seed, path]) => {
    const url = await locate('PUT', urlOf(namenodeUrl, `${root}${path}`, 'CREATE', parameters));
    await upload(url, Readable.from(content(seed, fileBytes)), fileBytes);
  });
};

interface Jmx {
  beans: { PendingDeletionBlocks?: number }[];
}

/** JMX wants a ticket where clusters are secure: there nobody looks, and a heartbeat more is waited for. */
const pendingDeletions = async ({ namenodeUrl, kerberos }: Cluster): Promise<number> => {
  if (kerberos) {
    await sleep(1500);
    return 0;
  }
  const { beans } = await askJson<Jmx>('GET', `${namenodeUrl}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystem`);
  return beans[0]?.PendingDeletionBlocks ?? 0;
};

/** Removes what an earlier run left, down to the disk, so that every run finds the same. */
export const empty = async (cluster: Cluster, root: string): Promise<void> => {
  await ask('DELETE', urlOf(cluster.namenodeUrl, root, 'DELETE', '&recursive=true'));
  await ask('PUT', urlOf(cluster.namenodeUrl, root, 'MKDIRS'));
  const deadline = Date.now() + deletedWithinMs;
  while ((await pendingDeletions(cluster)) > 0) {
    if (Date.now() > deadline) throw new Error(`${cluster.name}: blocks are still to be deleted`);
    await sleep(200);
  }
  // A datanode hears of deletions with its next heartbeat, one second apart in the bed.
  await sleep(1500);
  await promisify(execFile)('sync');
};

const checksumOf = async ({ namenodeUrl }: Cluster, path: string): Promise<string> => {
  const datanode = await locate('GET', urlOf(namenodeUrl, path, 'OPEN'));
  const { FileChecksum } = JSON.parse(await ask('GET', checksumUrl(datanode))) as { FileChecksum: JsonChecksum };
  return parseFileChecksum(FileChecksum).value;
};

/** The checksums that a destination must keep of some of the files, by their paths: computed of what was laid out. */
export const expectedChecksums = (of: Case): ReadonlyMap<string, string> => {
  const paths = pathsOf(of);
  const step = Math.max(1, Math.floor(paths.length / sampled));
  const expected = new Map<string, string>();
  for (const [seed, path] of paths.entries()) {
    if (seed % step > 0) continue;
    const digest = new ContentDigest([{ ...usualLayout, blockBytes }]);
    for (const piece of content(seed, of.fileBytes)) digest.update(piece);
    expected.set(path, digest.checksum({ ...usualLayout, blockBytes }).value);
  }
  return expected;
};

/** @throws when a file or a byte is missing or too many, or when a sampled checksum is another */
export const requireCopied = async (
  of: Case,
  destination: Cluster,
  to: string,
  expected: ReadonlyMap<string, string>,
): Promise<void> => {
  interface Summary {
    ContentSummary: { fileCount: number; length: number };
  }
  const url = urlOf(destination.namenodeUrl, to, 'GETCONTENTSUMMARY');
  const { ContentSummary: found } = await askJson<Summary>('GET', url);
  if (found.fileCount !== of.files || found.length !== totalBytes(of)) {
    const wanted = `${of.files} files, ${totalBytes(of)} bytes`;
    throw new Error(`not everything was copied: ${found.fileCount} files, ${found.length} bytes of ${wanted}`);
  }
  for (const [path, checksum] of expected) {
    const stored = await checksumOf(destination, `${to}${path}`);
    if (stored !== checksum) throw new Error(`${path} was copied wrong: ${stored} instead of ${checksum}`);
  }
};
