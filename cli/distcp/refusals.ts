import { SpecError } from '../../shared/errors.ts';

/** What of DistCp there is not here: why, and what to do instead. */
const refusals: Readonly<Record<string, readonly [why: string, instead: string]>> = {
  append: ['a file that has grown is copied whole, and verified whole', 'leave it out: -update copies what has grown'],
  async: ['a command ends when its copy has ended', 'start it with setsid … &, or on AWS with hdfs-fanout start'],
  atomic: [
    'each file appears at once, but a tree file by file',
    'copy to a new name beside the target, then rename it: hdfs dfs -mv',
  ],
  tmp: ['it goes with -atomic, which there is not', 'leave it out: a file is written beside its own name first'],
  diff: [
    'a job makes and compares its own snapshots',
    'put --snapshot in its place (and -delete); to copy one snapshot, name PATH/.snapshot/NAME as the source',
  ],
  rdiff: [
    'a target is not taken back to a snapshot of its own',
    'use hadoop distcp -rdiff for it, or copy from PATH/.snapshot/NAME of the target to another directory',
  ],
  mapredSslConf: [
    'TLS is set in the definition of each cluster, and Hadoop 3 has no such option either',
    'hdfs-fanout clusters import reads ssl-client.xml',
  ],
  conf: [
    "a Hadoop client's configuration is not read here",
    'hdfs-fanout clusters import takes the clusters from it; --conf names their file',
  ],
  tokenCacheFile: ['tokens are in the definition of each cluster', 'set auth_mechanism TOKEN and token there'],
};

/** @throws SpecError where there is no such thing here */
export function refuseOption(name: string): void {
  const [why, instead] = refusals[name] ?? [];
  if (why !== undefined) throw new SpecError(`-${name}: ${why}`, instead);
}

/** Properties that change nothing here, and why. Any other one could change what is copied, or how, and is refused. */
const harmless: readonly (readonly [name: RegExp, why: string])[] = [
  [/^(?:mapreduce|mapred|yarn|tez)\./, 'no effect: nothing runs on YARN'],
  [/^dfs\.checksum\.combine\.mode$/, 'no effect: files of different block sizes are compared and verified as they are'],
  [/^ipc\.client\.fallback-to-simple-auth-allowed$/, 'no effect: each cluster has its own authentication'],
  [
    /^(?:dfs\.(?:nameservices|internal\.nameservices|ha\.|namenode\.|client\.failover\.)|fs\.defaultFS$)/,
    "no effect: addresses are those of the clusters' file",
  ],
  [
    /^distcp\.(?:liststatus\.threads|simplelisting\.|dynamic\.)/,
    'no effect: listing and sharing out are done in another way',
  ],
];

/** What `-Dname=value` means here. @throws SpecError for a property that cannot be said here */
export function meaningOfProperty(property: string): string {
  const [name = ''] = property.split('=');
  const known = harmless.find(([pattern]) => pattern.test(name));
  if (known) return known[1];
  const instead: Readonly<Record<string, string>> = {
    'dfs.blocksize': "leave it out: files get the target's block size, or with -pb that of the source",
    'dfs.replication': "leave it out: files get the target's replication, or with -pr that of the source",
    'fs.permissions.umask-mode': 'leave it out: new files get 644 and directories 755, or with -pp those of the source',
  };
  throw new SpecError(
    `-D${name}: this property of Hadoop's cannot be set here`,
    instead[name] ?? (name.startsWith('distcp.') ? 'write the option that it stands for' : 'leave it out'),
  );
}
