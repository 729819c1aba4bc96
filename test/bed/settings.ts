// What a cluster of the bed sets, and why it differs from Hadoop's defaults.
import type { Properties } from './site.ts';

export interface ClusterOptions<Name extends string = string> {
  name: Name;
  datanodes?: number | undefined;
  blockBytes?: number | undefined;
  replication?: number | undefined;
  bytesPerChecksum?: number | undefined;
  /** HTTPS only, under a certificate authority of the bed's own. A cluster with TLS has a JVM of its own. */
  tls?: boolean | undefined;
  /** The host that the certificate names; another than localhost makes one that clients must refuse. */
  tlsName?: string | undefined;
  /** Tickets of a realm with this name are asked for, over TLS. Clusters of one bed may share a realm. */
  kerberos?: { realm: string } | undefined;
  /** Two namenodes of one nameservice, each in a JVM of its own; the first is made active. */
  ha?: boolean | undefined;
  /** An HttpFS before it, in a JVM of its own. */
  httpfs?: boolean | undefined;
  /** Directories that are encryption zones, and the name of each one's key, which a KMS in a JVM of its own keeps. */
  encryptionZones?: Record<string, string> | undefined;
  /** Directories and their erasure coding policies, as in XOR-2-1-1024k, which needs three datanodes. */
  erasureCoding?: Record<string, string> | undefined;
  /** How long delegation tokens live, in milliseconds. */
  tokenLife?: { renewMs: number; maxMs: number } | undefined;
  /** Further properties of hdfs-site.xml; they win over the bed's own. */
  extraHdfs?: Properties;
  /** Further properties of core-site.xml; they win over the bed's own. */
  extraCore?: Properties;
}

export const coreSettings = (authority: string, scratch: string): Properties => ({
  'fs.defaultFS': `hdfs://${authority}`,
  'hadoop.tmp.dir': scratch,
  'hadoop.security.authentication': 'simple',
  'hadoop.http.staticuser.user': 'nobody',
  'hadoop.proxyuser.root.hosts': '*',
  'hadoop.proxyuser.root.groups': '*',
  'hadoop.proxyuser.httpfs.hosts': '*',
  'hadoop.proxyuser.httpfs.groups': '*',
  'ipc.client.connect.max.retries': '3',
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

export const isSecured = ({ tls, tlsName, kerberos }: ClusterOptions): boolean =>
  tls === true || tlsName !== undefined || kerberos !== undefined;

const life = ({ tokenLife }: ClusterOptions): Properties =>
  tokenLife
    ? {
        'dfs.namenode.delegation.token.renew-interval': String(tokenLife.renewMs),
        'dfs.namenode.delegation.token.max-lifetime': String(tokenLife.maxMs),
      }
    : {};

/** Where a namenode can be reached. */
export interface NamenodePlace {
  rpc: string;
  /** Of HTTP, or of HTTPS on a cluster with TLS. */
  http: string;
}

const webScheme = (options: ClusterOptions): 'http' | 'https' => (isSecured(options) ? 'https' : 'http');

/** What stands after hdfs:// */
export const authorityOf = ({ name, ha }: ClusterOptions, [first]: NamenodePlace[]): string =>
  ha ? `ns-${name}` : (first?.rpc ?? '');

const haSettings = (options: ClusterOptions, namenodes: NamenodePlace[], sharedEdits: string): Properties => {
  const nameservice = authorityOf(options, namenodes);
  const ids = namenodes.map((_, index) => `nn${index + 1}`);
  return {
    'dfs.nameservices': nameservice,
    [`dfs.ha.namenodes.${nameservice}`]: ids.join(),
    [`dfs.client.failover.proxy.provider.${nameservice}`]:
      'org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider',
    'dfs.namenode.shared.edits.dir': `file://${sharedEdits}`,
    'dfs.ha.automatic-failover.enabled': 'false',
    'dfs.ha.fencing.methods': 'shell(/bin/true)',
    'dfs.ha.tail-edits.period': '1',
    'dfs.ha.log-roll.period': '10',
    'dfs.client.failover.sleep.base.millis': '100',
    'dfs.client.failover.sleep.max.millis': '1000',
  };
};

const addresses = (options: ClusterOptions, namenodes: NamenodePlace[]): Properties =>
  Object.fromEntries(
    namenodes.flatMap(({ rpc, http }, index) => {
      const suffix = options.ha ? `.${authorityOf(options, namenodes)}.nn${index + 1}` : '';
      return [
        [`dfs.namenode.rpc-address${suffix}`, rpc],
        [`dfs.namenode.${webScheme(options)}-address${suffix}`, http],
      ];
    }),
  );

/** What all daemons of a cluster have in common. */
export const hdfsSettings = (options: ClusterOptions, namenodes: NamenodePlace[], sharedEdits = ''): Properties => ({
  ...storage(options),
  ...readiness(options.datanodes ?? 1),
  ...behaviour,
  ...speed,
  ...life(options),
  'dfs.http.policy': isSecured(options) ? 'HTTPS_ONLY' : 'HTTP_ONLY',
  ...addresses(options, namenodes),
  ...(options.ha ? haSettings(options, namenodes, sharedEdits) : {}),
});

/** @param number  1 is the first */
export const namenodeSettings = ({ ha }: ClusterOptions, number: number, directory: string): Properties => ({
  'dfs.namenode.name.dir': `file://${directory}`,
  ...(ha ? { 'dfs.ha.namenode.id': `nn${number}` } : {}),
});

export interface DatanodePlace {
  transfer: string;
  ipc: string;
  http: string;
  directory: string;
}

export const datanodeSettings = (options: ClusterOptions, place: DatanodePlace): Properties => ({
  'dfs.datanode.address': place.transfer,
  'dfs.datanode.ipc.address': place.ipc,
  [`dfs.datanode.${webScheme(options)}.address`]: place.http,
  'dfs.datanode.data.dir': `file://${place.directory}`,
});
