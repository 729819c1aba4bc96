import assert from 'node:assert/strict';
import { startBed } from '../bed/bed.ts';
import { crash, crashTree, makeCrashTree } from '../support/crash.ts';
import { TestHdfs } from '../support/hdfs.ts';

/** `npm run soak [-- ROUNDS]`: what crash.test.ts does a few times, fifty times or as often as told. */
const rounds = Number(process.argv[2] ?? 50);

await using bed = await startBed({
  clusters: [
    { name: 'A', blockBytes: 1 << 20 },
    { name: 'B', blockBytes: 1 << 22 },
  ],
});
const b = new TestHdfs(bed.clusters.B.namenodeUrl);
const source = await makeCrashTree(new TestHdfs(bed.clusters.A.namenodeUrl));

for (let round = 1; round <= rounds; round++) {
  const share = Math.random();
  const path = `/crash-${round}`;
  const copiers = 1 + (round % 2);
  const { last, partial, polls, left } = await crash(share, b, path, source, copiers, bed.configFile);
  assert.equal(last.code, 0, last.stderr);
  assert.deepEqual(partial, []);
  assert.deepEqual(left, []);
  assert.deepEqual(await b.tree(path), source);
  assert.equal(last.status['Files Copied'], crashTree.files);
  assert.equal(last.status['Size Copied'], crashTree.bytes);
  await b.remove(path);
  console.log(
    `${round}/${rounds}: ${copiers} copiers killed at ${share.toFixed(3)} and again, looked at ${polls} times: whole and equal`,
  );
}
