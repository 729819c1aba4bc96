// The flags a Hadoop daemon of the bed runs with.

export interface JvmOptions {
  heapMb?: number | undefined;
  /** Compiles with C2 too: slower to start and larger, but what a measurement needs. */
  c2?: boolean | undefined;
  /** A class archive to use, or to make when the JVM ends. */
  archive?: { use: string } | { make: string } | undefined;
}

const opened = ['lang', 'io', 'net', 'nio', 'util', 'util.concurrent'].map((name) => `java.base/java.${name}`);
opened.push('java.base/sun.nio.ch', 'java.base/sun.security.ssl', 'java.security.jgss/sun.security.krb5');

/** Hadoop reaches into packages that JDK 17 keeps closed. */
export const openModules = [
  ...opened.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
  '--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
];

const compiler = (c2: boolean): string[] =>
  c2 ? ['-XX:ReservedCodeCacheSize=128m'] : ['-XX:TieredStopAtLevel=1', '-XX:ReservedCodeCacheSize=48m'];

const archiving = (archive: JvmOptions['archive']): string[] => {
  if (!archive) return [];
  return ['use' in archive ? `-XX:SharedArchiveFile=${archive.use}` : `-XX:ArchiveClassesAtExit=${archive.make}`];
};

export const daemonFlags = ({ heapMb = 512, c2 = false, archive }: JvmOptions = {}): string[] => [
  `-Xmx${heapMb}m`,
  '-Xss512k',
  '-XX:+UseSerialGC',
  ...compiler(c2),
  '-XX:-UsePerfData',
  '-Xshare:auto',
  ...archiving(archive),
  '-Djava.net.preferIPv4Stack=true',
  '-Djava.security.egd=file:/dev/./urandom',
  '-Dio.netty.allocator.numHeapArenas=1',
  '-Dio.netty.allocator.numDirectArenas=1',
  ...openModules,
];

/** The superuser of a cluster is whoever runs its namenode; here always root, whoever runs the tests.
 * The password is that of a KMS's file of keys, which lives as long as its bed. */
export const hadoopEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  HADOOP_USER_NAME: 'root',
  HADOOP_KEYSTORE_PASSWORD: 'none',
});
