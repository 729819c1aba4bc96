import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plan } from '../../shared/plan/plan.ts';
import { clusterSchema } from '../../shared/hdfs/cluster.ts';
import { WebHdfs } from '../../shared/hdfs/webhdfs.ts';
import { ManifestFile } from '../../shared/machine/manifest-file.ts';
import { NamesOnDisk } from '../../shared/machine/name-set.ts';
import { silentLog } from '../../shared/log.ts';
import { withSmallHeap } from '../../shared/memory.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';

/** Plans `/tree` of a namenode in a process of its own, so that its memory is nobody else's: `node planner.ts URL`. */
const cluster = clusterSchema.parse({
  name: 'endless',
  user: 'root',
  nameservices: [{ urls: [process.argv[2]], mounts: ['/'] }],
});
const source = new WebHdfs(cluster, silentLog);
const destination = new WebHdfs({ ...cluster, name: 'empty' }, silentLog);
const manifest = await new ManifestFile(mkdtempSync(join(tmpdir(), 'hdfs-fanout-plan-'))).create('job');
const startedAtMs = performance.now();
let batches = 0;
/** Memory outside of V8's heap, array buffers included: a limit of the heap does not hold it down. */
let peakExternalBytes = 0;
const expected = await withSmallHeap(() =>
  plan({
    source,
    destination,
    roots: [{ source: '/tree', destination: '/copy', kind: 'directory' }],
    options: parseJobSpec({ source: 'endless:/tree', destination: 'empty:/copy' }).options,
    signal: new AbortController().signal,
    emit: async (batch) => {
      batches += 1;
      peakExternalBytes = Math.max(peakExternalBytes, process.memoryUsage().external);
      await manifest.append(batch);
    },
    names: new NamesOnDisk(),
    makeDirectories: true,
  }),
);
await manifest.discard();
await source.close();
await destination.close();
const seconds = (performance.now() - startedAtMs) / 1000;
const peakRssMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ ...expected, batches, seconds, peakExternalBytes, peakRssMiB }));
