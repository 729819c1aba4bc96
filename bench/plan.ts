// Plans a copy and does nothing of it: how fast a tree is listed.
//
// usage: node plan.ts CLUSTERS-FILE SOURCE DESTINATION
import { withSmallHeap } from '../shared/memory.ts';
import { loadClusters } from '../shared/hdfs/cluster.ts';
import { WebHdfs } from '../shared/hdfs/webhdfs.ts';
import { silentLog } from '../shared/log.ts';
import { NamesOnDisk } from '../shared/machine/name-set.ts';
import { parseJobSpec } from '../shared/job/spec.ts';
import { plan } from '../shared/plan/plan.ts';

const [configFile = '', source = '', destination = ''] = process.argv.slice(2);

const clusters = loadClusters(configFile);
const open = (name: string): WebHdfs => {
  const cluster = clusters.get(name);
  if (!cluster) throw new Error(`no cluster ${name} in ${configFile}`);
  return new WebHdfs(cluster, silentLog);
};
const ends = { source: open('A'), destination: open('B') };
const { options } = parseJobSpec({ source: `A:${source}`, destination: `B:${destination}` });
let batches = 0;

const begun = performance.now();
const { files } = await withSmallHeap(() =>
  plan({
    ...ends,
    roots: [{ source, destination, kind: 'directory' }],
    options,
    signal: new AbortController().signal,
    emit: () => {
      batches += 1;
      return Promise.resolve();
    },
    names: new NamesOnDisk(),
    makeDirectories: false,
  }),
);
const seconds = (performance.now() - begun) / 1000;
await ends.source.close();
await ends.destination.close();
console.log(JSON.stringify({ files, batches, seconds }));
