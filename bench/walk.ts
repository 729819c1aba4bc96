// Walks two trees side by side and does nothing of it: what it takes to know that they are the same.
//
// usage: node walk.ts CLUSTERS-FILE SOURCE DESTINATION
import { loadClusters } from '../shared/hdfs/cluster.ts';
import { WebHdfs } from '../shared/hdfs/webhdfs.ts';
import { silentLog } from '../shared/log.ts';
import { withSmallHeap } from '../shared/memory.ts';
import { walk } from '../shared/plan/walk.ts';

const [configFile = '', source = '', destination = ''] = process.argv.slice(2);
const { signal } = new AbortController();

const clusters = loadClusters(configFile);
const open = async (name: string, root: string) => {
  const cluster = clusters.get(name);
  if (!cluster) throw new Error(`no cluster ${name} in ${configFile}`);
  const storage = new WebHdfs(cluster, silentLog);
  const status = await storage.stat(root, signal);
  if (!status) throw new Error(`there is no ${name}:${root}`);
  return { storage, root, status };
};

const begun = performance.now();
const trees = { source: await open('A', source), destination: await open('B', destination) };
let files = 0;
await withSmallHeap(() =>
  walk(trees, { both: ({ source: { kind } }) => void (files += kind === 'file' ? 1 : 0) }, signal),
);
const seconds = (performance.now() - begun) / 1000;
await trees.source.storage.close();
await trees.destination.storage.close();
console.log(JSON.stringify({ files, seconds }));
