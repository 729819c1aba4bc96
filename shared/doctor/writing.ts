import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FanoutError } from '../errors.ts';
import { join } from '../storage/path.ts';
import { type Context, findingOf, needed, type Serving } from './context.ts';
import { type CheckName, failed, type Finding, ok, skipped, warning } from './row.ts';
import { hasCode } from '../storage/errors.ts';

const CONTENT = Buffer.from('hdfs-fanout doctor\n');
/** Time for writing, renaming and concatenating together. */
const PROBE_MS = 9000;
/** Time for deleting everything that was written, whatever happened. */
const CLEANING_MS = 5000;

/**
 * Does to small files what a copy does: in a directory of its own under PATH, which it deletes at its end, also when something
 * failed or the user interrupted it.
 */
export async function writing(context: Context): Promise<void> {
  const { serving } = context;
  const reason = reasonAgainst(context);
  if (typeof serving === 'string' || reason !== undefined) {
    for (const name of ['write', 'rename', 'concat', 'delete'] as const) {
      await context.atPath(name, () => Promise.resolve(skipped(reason ?? '')));
    }
    return;
  }
  const scratch = join(serving.path, `.hdfs-fanout-doctor-${randomBytes(6).toString('hex')}`);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(PROBE_MS)]);
  const [one, two] = [join(scratch, 'one'), join(scratch, 'two')];
  try {
    const written = await context.atPath('write', async ({ fs }) => {
      await fs.makeDirectory(scratch, undefined, signal);
      await write(serving, one, signal);
      await write(serving, two, signal);
      return ok(`made a directory and two files in ${serving.path}`);
    });
    const target = join(scratch, 'target');
    const renamed = await dependent(context, 'rename', written, 'write', async ({ fs }) => {
      const atOnce = await fs.replacesAtOnce(serving.path, signal);
      await fs.rename(one, target, false, signal);
      if (!atOnce) await fs.delete(target, signal);
      await fs.rename(two, target, atOnce, signal);
      if (!(await isWhole(serving, target, 1, signal))) return failed('the renamed file is not there');
      return ok(atOnce ? 'replaces a file in one step' : 'replaces a file in two steps: HttpFS cannot in one');
    });
    await dependent(context, 'concat', renamed, 'rename', () => concat(serving, scratch, target, signal));
  } finally {
    context.report('delete', serving.endpoint.host, await remove(serving, scratch));
  }
}

function reasonAgainst({ examination, serving, signal }: Context): string | undefined {
  if (examination.readOnly) return '--read-only';
  if (signal.aborted) return 'there was no time left for it';
  if (typeof serving === 'string') return undefined;
  if (!serving.directory) return needed('path').found;
  return serving.endpoint.safeMode ? 'the namenode is in safe mode' : undefined;
}

async function dependent(
  context: Context,
  name: 'rename' | 'concat',
  may: boolean,
  needs: CheckName,
  find: (serving: Serving) => Promise<Finding>,
): Promise<boolean> {
  return context.atPath(name, may ? find : () => Promise.resolve(needed(needs)));
}

async function write({ fs }: Serving, path: string, signal: AbortSignal): Promise<void> {
  const options = {
    lengthBytes: CONTENT.length,
    blockBytes: undefined,
    replication: undefined,
    permission: undefined,
    overwrite: false,
  };
  await fs.write(path, content(), options, signal);
}

// eslint-disable-next-line @typescript-eslint/require-await -- a body is asynchronous
async function* content(): AsyncGenerator<Uint8Array> {
  yield CONTENT;
}

async function isWhole({ fs }: Serving, path: string, times: number, signal: AbortSignal): Promise<boolean> {
  return (await fs.stat(path, signal))?.lengthBytes === CONTENT.length * times;
}

/** Whether files can be joined. A refusal is no failure: large files are then copied whole. */
async function concat(serving: Serving, scratch: string, target: string, signal: AbortSignal): Promise<Finding> {
  const part = join(scratch, 'part');
  await write(serving, part, signal);
  try {
    await serving.endpoint.ask('POST', 'CONCAT', target, { sources: part }, signal);
  } catch (error) {
    if (!hasCode(error, 'invalid', 'unsupported', 'io', 'other')) throw error;
    return warning(`CONCAT is refused: ${findingOf(error).found}`, 'large files here are copied in one piece');
  }
  return (await isWhole(serving, target, 2, signal))
    ? ok('joins two files')
    : failed('the joined file has another length');
}

/** Deletes what was written. A namenode that is away for a moment is asked again, for as long as there is time. */
async function remove({ endpoint, fs, path }: Serving, scratch: string): Promise<Finding> {
  const signal = AbortSignal.timeout(CLEANING_MS);
  const gone = ok(`left nothing behind in ${path}`);
  let last: unknown;
  while (!signal.aborted) {
    try {
      await endpoint.ask('DELETE', 'DELETE', scratch, { recursive: true }, signal);
      return gone;
    } catch (error) {
      last = error;
    }
    // Who may not write here is also told so about what does not exist.
    if (hasCode(last, 'denied') && (await fs.stat(scratch, signal).catch(() => true)) === undefined) return gone;
    if (last instanceof FanoutError && last.disposition !== 'retry') break;
    await sleep(500, undefined, { signal }).catch(() => undefined);
  }
  return failed(`${scratch} could not be deleted: ${findingOf(last).found}`, `hdfs dfs -rm -r -skipTrash ${scratch}`);
}
