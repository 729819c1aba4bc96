import { LocalDisk } from '../disk/local-disk.ts';
import { SpecError } from '../errors.ts';
import type { Authentication } from '../hdfs/auth.ts';
import type { Cluster } from '../hdfs/cluster.ts';
import type { Contact } from '../hdfs/nameservice.ts';
import { WebHdfs } from '../hdfs/webhdfs.ts';
import type { Limits } from '../limits/limits.ts';
import type { Log } from '../log.ts';
import type { Pace } from '../storage/pace.ts';
import type { Storage } from '../storage/storage.ts';

/** How a cluster is reached. */
export interface Access {
  readonly cluster: Cluster;
  /** In place of what the definition says. */
  readonly authentication?: Authentication;
}

/** What it takes to open storages. Whoever runs a job has it: the command line from its files, a Lambda from its deployment's secrets. */
export interface Means {
  /** @throws SpecError for an alias that nobody has defined */
  readonly accessTo: (alias: string) => Access | Promise<Access>;
  /** Undefined where the disk is not the user's: in a Lambda. */
  readonly disk: { readonly readBytes: number } | undefined;
  /** `known` once the clusters were reached for this job: their addresses are right, and a failure is one of the moment. */
  readonly contact: Contact;
  readonly log: Log;
  readonly limits: Limits;
}

/** Means, and what the transfers of one job are held to. */
type JobMeans = Means & { readonly pace: Pace };

interface Kind {
  readonly has: (alias: string) => boolean;
  readonly open: (alias: string, means: JobMeans) => Storage | Promise<Storage>;
}

/** Every kind of storage: which aliases are its own, and how one of them is opened. The first that has an alias opens it. */
const kinds: readonly Kind[] = [
  { has: (alias) => alias === 'local', open: openDisk },
  { has: () => true, open: openCluster },
];

/** Asks nothing of the storage yet. @throws SpecError */
export async function openStorage(alias: string, means: JobMeans): Promise<Storage> {
  const kind = kinds.find(({ has }) => has(alias));
  if (!kind) throw new Error(`no kind of storage has the alias ${alias}`);
  return kind.open(alias, means);
}

function openDisk(_alias: string, { disk, limits, pace }: JobMeans): Storage {
  if (disk) return limits.paced(new LocalDisk(disk.readBytes, pace));
  throw new SpecError('local: is the disk of one machine, which AWS does not see', 'use hdfs-fanout copy for it');
}

async function openCluster(alias: string, { accessTo, contact, log, limits, pace }: JobMeans): Promise<Storage> {
  const { cluster, authentication } = await accessTo(alias);
  return limits.paced(new WebHdfs(cluster, log, authentication, contact, limits.turnsAt(cluster), pace), cluster);
}
