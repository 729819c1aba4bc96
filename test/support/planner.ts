import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterSchema } from '../../shared/hdfs/cluster.ts';
import { WebHdfs } from '../../shared/hdfs/webhdfs.ts';
import { ManifestFile } from '../../shared/machine/manifest-file.ts';
import { NamesOnDisk } from '../../shared/machine/name-set.ts';
import { silentLog } from '../../shared/log.ts';
import { withSmallHeap } from '../../shared/memory.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { ListOnDisk } from '../../shared/machine/list-on-disk.ts';
import { type Shape, SyntheticDestination, SyntheticTree } from './synthetic-tree.ts';
import { plannedFirst } from '../../shared/plan/packer.ts';
import { plan } from '../../shared/plan/plan.ts';

/**
 * Plans `/tree` in a process of its own, so that its memory is nobody else's: of a namenode with `node planner.ts URL`, or a synthetic one
 * with `node planner.ts SHAPE SIZE [refused] [flat] [listed]`. Prints figures as JSON.
 */
const [what = '', size = '0', ...flags] = process.argv.slice(2);
const [source, destination] = what.startsWith('http') ? overHttp(what) : synthetic(what as Shape);

function overHttp(url: string) {
  const cluster = clusterSchema.parse({
    name: 'endless',
    user: 'root',
    nameservices: [{ urls: [url], mounts: ['/'] }],
  });
  return [new WebHdfs(cluster, silentLog), new WebHdfs({ ...cluster, name: 'empty' }, silentLog)] as const;
}

function synthetic(shape: Shape) {
  return [new SyntheticTree(shape, Number(size)), new SyntheticDestination(flags.includes('refused'))] as const;
}

/** As a list names them: all of the tree, and for each thousand a line that it does not have. */
async function* everyPath() {
  let number = 0;
  for await (const page of source.list('/tree', new AbortController().signal)) {
    for (const { name } of page) {
      yield { text: `${name}/missing`, number: ++number };
      for await (const files of source.list(`/tree/${name}`, new AbortController().signal)) {
        for (const file of files) yield { text: `${name}/${file.name}`, number: ++number };
      }
    }
  }
}

const manifest = await new ManifestFile(mkdtempSync(join(tmpdir(), 'hdfs-fanout-plan-'))).create('job');
const startedAtMs = performance.now();
let batches = 0;
/** Memory outside of V8's heap, array buffers included: a limit of the heap does not hold it down. */
let peakExternalBytes = 0;
const filesOnly = flags.includes('flat');
using names = new NamesOnDisk();
using list = flags.includes('listed') ? new ListOnDisk() : undefined;
await list?.fill(everyPath(), '/tree');
const expected = await withSmallHeap(() =>
  plan({
    source,
    destination,
    roots: [{ source: '/tree', destination: '/copy', kind: 'directory' }],
    options: parseJobSpec({ source: 'endless:/tree', destination: 'empty:/copy', options: { filesOnly } }).options,
    signal: new AbortController().signal,
    emit: async (batch) => {
      batches += 1;
      peakExternalBytes = Math.max(peakExternalBytes, process.memoryUsage().external);
      await manifest.append(batch);
    },
    sharing: plannedFirst(50),
    names,
    list,
    makeDirectories: true,
  }),
);
await manifest.discard();
await source.close();
await destination.close();
const seconds = (performance.now() - startedAtMs) / 1000;
const peakRssMiB = process.resourceUsage().maxRSS / 1024;
const made = destination instanceof SyntheticDestination ? destination.made : undefined;
console.log(JSON.stringify({ ...expected, batches, made, seconds, peakExternalBytes, peakRssMiB }));
