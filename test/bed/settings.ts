// What a cluster of the bed sets, and why it differs from Hadoop's defaults.
import type { Properties } from './site.ts';

export interface ClusterOptions<Name extends string = string> {
  name: Name;
  datanodes?: number | undefined;
  blockBytes?: number | undefined;
  replication?: number | undefined;
  bytesPerChecksum?: number | undefined;
  /** Further properties of hdfs-site.xml; they win over the bed's own. */
  extraHdfs?: Properties;
  /** Further properties of core-site.xml; they win over the bed's own. */
  extraCore?: Properties;
}

export const coreSettings = (rpc: string, scratch: string, extra: Properties = {}): Properties => ({
  'fs.defaultFS': `hdfs://${rpc}`,
  'hadoop.tmp.dir': scratch,
  'hadoop.security.authentication': 'simple',
  'hadoop.http.staticuser.user': 'nobody',
  'hadoop.proxyuser.root.hosts': '*',
  'hadoop.proxyuser.root.groups': '*',
  'hadoop.proxyuser.httpfs.hosts': '*',
  'hadoop.proxyuser.httpfs.groups': '*',
  'ipc.client.connect.max.retries': '3',
  ...extra,
});

const storage = ({ blockBytes, replication, bytesPerChecksum }: ClusterOptions): Properties => ({
  'dfs.replication': String(replication ?? 1),
  'dfs.blocksize': String(blockBytes ?? 128 * 1024 * 1024),
  'dfs.bytes-per-checksum': String(bytesPerChecksum ?? 512),
  // Files of several blocks cost few bytes.
  'dfs.namenode.fs-limits.min-block-size': '512',
});

/** Readiness can be asked for: out of safe mode means that all datanodes are in. */
const readiness = (datanodes: number): Properties => ({
  'dfs.heartbeat.interval': '1',
  'dfs.namenode.safemode.extension': '0',
  'dfs.namenode.safemode.min.datanodes': String(datanodes),
});

const behaviour: Properties = {
  'dfs.permissions.superusergroup': 'supergroup',
  'dfs.namenode.acls.enabled': 'true',
  // Without security a namenode gives no delegation token unless told to.
  'dfs.namenode.delegation.token.always-use': 'true',
  'dfs.checksum.combine.mode': 'MD5MD5CRC',
  // Redirects name localhost, not the name of the machine.
  'dfs.datanode.hostname': 'localhost',
  'dfs.client.use.datanode.hostname': 'true',
};

const speed: Properties = {
  'dfs.namenode.handler.count': '4',
  'dfs.datanode.handler.count': '4',
  // With the default of 400 a close that comes before the block report sleeps 400 ms in the datanode.
  'dfs.client.block.write.locateFollowingBlock.initial.delay.ms': '10',
  'dfs.namenode.edits.noeditlogchannelflush': 'true',
  'dfs.datanode.synconclose': 'false',
  'dfs.datanode.directoryscan.interval': '-1',
  'dfs.block.scanner.volume.bytes.per.second': '0',
};

export interface NamenodePlace {
  rpc: string;
  http: string;
  directory: string;
}

export const hdfsSettings = (options: ClusterOptions, place: NamenodePlace): Properties => ({
  ...storage(options),
  ...readiness(options.datanodes ?? 1),
  ...behaviour,
  ...speed,
  'dfs.namenode.rpc-address': place.rpc,
  'dfs.namenode.http-address': place.http,
  'dfs.namenode.name.dir': `file://${place.directory}`,
  ...options.extraHdfs,
});

export interface DatanodePlace {
  transfer: string;
  ipc: string;
  http: string;
  directory: string;
}

export const datanodeSettings = (place: DatanodePlace): Properties => ({
  'dfs.datanode.address': place.transfer,
  'dfs.datanode.ipc.address': place.ipc,
  'dfs.datanode.http.address': place.http,
  'dfs.datanode.data.dir': `file://${place.directory}`,
});
