// The command line of a JVM that hosts daemons of the bed.
import { delimiter } from 'node:path';
import type { Daemon } from './cluster.ts';
import { controlFile } from './control.ts';
import type { HostOptions } from './host.ts';
import type { Hadoop } from './jars.ts';
import { type JvmOptions, daemonFlags, hadoopEnvironment } from './jvm.ts';
import { missingTool, toolPath } from './tools.ts';

export interface LaunchOptions extends JvmOptions {
  hadoop: Hadoop;
  dir: string;
  /** Deleted by the JVM when the process that started it has died. */
  removed?: string | undefined;
}

const useOf = ({ archive }: Hadoop): JvmOptions['archive'] => (archive === undefined ? undefined : { use: archive });

export const jvmHost = (name: string, daemons: Daemon[], options: LaunchOptions): HostOptions => {
  const { hadoop, dir, removed, archive = useOf(hadoop) } = options;
  const [first] = daemons;
  const classpath = [hadoop.classpath, ...(first ? [first.configuration] : [])].join(delimiter);
  const control = controlFile(dir, name);
  const flags = ['--with-parent', '--control', control, ...(removed === undefined ? [] : ['--remove', removed])];
  const hosted = daemons.map(({ kind, configuration }) => `${kind}=${configuration}`);
  const properties = daemons.flatMap((daemon) => Object.entries(daemon.properties ?? {}));
  const args = [
    ...daemonFlags({ ...options, archive }),
    `-Dbed.host=${name}`,
    ...[...new Map(properties)].map(([property, value]) => `-D${property}=${value}`),
    '-cp',
    classpath,
    'Launcher',
    ...flags,
    ...hosted,
  ];
  return {
    name,
    daemons: daemons.map((daemon) => daemon.name),
    dir,
    command: { program: toolPath('java'), args, env: hadoopEnvironment() },
    control,
    missing: (problem) => missingTool(toolPath('java'), problem),
  };
};
