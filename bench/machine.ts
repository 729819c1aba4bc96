// Where it was measured, and with what settings.
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { defaultVersion } from '../test/bed/paths.ts';
import { toolPath } from '../test/bed/tools.ts';

/** A program's first line about itself. */
const say = (program: string, args: string[]): string => {
  try {
    return (
      execFileSync('bash', ['-c', '"$@" 2>&1', 'bash', program, ...args], { encoding: 'utf8' }).split('\n')[0] ?? ''
    );
  } catch {
    return 'unknown';
  }
};

export const daemonHeapMb = 1024;

export const describeMachine = (): Record<string, string> => ({
  CPU: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
  memory: `${(totalmem() / 1024 ** 3).toFixed(1)} GiB`,
  kernel: `${type()} ${release()}`,
  Node: process.version,
  Java: say(toolPath('java'), ['-version']),
  Hadoop: defaultVersion,
  curl: say('curl', ['--version']).split(' ').slice(0, 2).join(' '),
  'hdfs-fanout': say('git', ['describe', '--always', '--dirty']),
  clusters: `two, each one namenode and one datanode; one JVM per daemon, C2, serial collector, heap ${daemonHeapMb} MB`,
  settings: 'replication 1, block size 128 MiB, 512 bytes per checksum, no security, no TLS, loopback',
  'locateFollowingBlock.initial.delay.ms': '10 (Hadoop’s default is 400)',
});
