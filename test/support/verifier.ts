import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { silentLog } from '../../shared/log.ts';
import { linesFile } from '../../shared/machine/lines-file.ts';
import { withSmallHeap } from '../../shared/memory.ts';
import type { StoredChecksums } from '../../shared/storage/capabilities.ts';
import { usualLayout } from '../../shared/storage/checksum.ts';
import { Comparisons } from '../../shared/verify/comparisons.ts';
import { Tally } from '../../shared/verify/tally.ts';
import { verifyTrees } from '../../shared/verify/verify-trees.ts';
import { never } from './files.ts';
import { SyntheticTree } from './synthetic-tree.ts';

/**
 * Holds a synthetic tree of so many files against another, in a process of its own, so that its memory is nobody else's:
 * `node verifier.ts SOURCE-FILES DESTINATION-FILES`. Prints figures as JSON.
 */
const [sourceFiles = 0, destinationFiles = 0] = process.argv.slice(2).map(Number);
let peakExternalBytes = 0;
let asked = 0;

/** All of its files are one. */
class Alike extends SyntheticTree {
  readonly checksums: StoredChecksums = {
    async stored() {
      await new Promise((resolve) => setImmediate(resolve));
      asked += 1;
      if (asked % 1000 === 0) peakExternalBytes = Math.max(peakExternalBytes, process.memoryUsage().external);
      return { algorithm: 'MD5-of-0MD5-of-512CRC32C', value: '00'.repeat(28) };
    },
    blockLengths: () => Promise.resolve(undefined),
    expectedLayouts: () => Promise.resolve([usualLayout]),
  };
}

const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-verifying-'));
const report = await linesFile(join(directory, 'report'));
const trees = { source: new Alike('files', sourceFiles), destination: new Alike('files', destinationFiles) };
const { options } = parseJobSpec({ source: 'a:/tree', destination: 'b:/tree', options: { mapping: 'exact' } });
const startedAtMs = performance.now();
using comparisons = new Comparisons({ first: 10, most: 10, isAuto: false }, [], silentLog, never);
const summary = await withSmallHeap(() =>
  verifyTrees({
    ...trees,
    roots: [{ source: '/tree', destination: '/tree' }],
    ...{ options, level: 'checksum', oneWay: false, comparisons, tally: new Tally(), signal: never },
    onFinding: (finding) => report.add(finding),
  }),
);
await report.close();
const reportBytes = statSync(join(directory, 'report')).size;
rmSync(directory, { recursive: true });
const seconds = (performance.now() - startedAtMs) / 1000;
const { equal, extra, missing, outcome } = summary;
const figures = { outcome, equal: equal.files, extra: extra.files, missing: missing.files, reportBytes };
console.log(JSON.stringify({ ...figures, seconds, peakExternalBytes }));
