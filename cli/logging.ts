import { pino } from 'pino';
import { messageOf, printable, SpecError } from '../shared/errors.ts';
import { type Log, silentLog } from '../shared/log.ts';

/** pydistcp's -v, -vv, -vvv, -vvvv. */
const levels = ['fatal', 'error', 'warn', 'info', 'debug'] as const;

/**
 * `--log-file`: JSON lines, at `info` unless -v says more. Otherwise -v writes plain lines to stderr.
 * No log line holds a URL or a token: nothing that could hold one is given to the logger.
 */
export function openLog(file: string | undefined, verbosity: number): Log {
  const level = levels[Math.min(verbosity, levels.length - 1)] ?? 'fatal';
  if (file !== undefined) {
    try {
      const destination = pino.destination({ dest: file, mkdir: true, sync: true });
      // A log that cannot be written does not end the copy.
      destination.once('error', (error) => {
        destination.on('error', () => undefined);
        process.stderr.write(`hdfs-fanout: cannot write the log file ${file}: ${messageOf(error)}\n`);
      });
      return pino({ level: verbosity > 3 ? level : 'info', base: null }, destination);
    } catch (error) {
      throw new SpecError(`cannot write the log file ${file}: ${messageOf(error)}`);
    }
  }
  if (verbosity === 0) return silentLog;
  return pino({ level, base: null, timestamp: false }, { write: (line: string) => process.stderr.write(plain(line)) });
}

function plain(line: string): string {
  const { level, msg, ...fields } = JSON.parse(line) as { level: number; msg: string } & Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? printable(value) : JSON.stringify(value)}`,
  );
  return `${pino.levels.labels[level] ?? ''}: ${msg}${rest.join('')}\n`;
}
