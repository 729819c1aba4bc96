import { type Context, findingOf } from './context.ts';
import { ok } from './row.ts';

/** Whether a job can make snapshots of PATH. None are needed to copy: that there can be none is no failure. Changes nothing. */
export async function snapshots(context: Context): Promise<void> {
  const { serving } = context;
  if (typeof serving === 'string' || !serving.directory) return;
  await context.atPath('snapshot', async ({ fs, path }) => {
    try {
      const root = await fs.snapshots.rootOf(path, context.signal);
      if (root === undefined) {
        return ok(`not snapshottable; a superuser can change that: hdfs dfsadmin -allowSnapshot ${path}`);
      }
      const owner = (await fs.stat(root, context.signal))?.owner ?? 'its owner';
      return ok(`snapshottable${root === path ? '' : `, as a part of ${root}`}, by ${owner} or a superuser`);
    } catch (error) {
      return { ...findingOf(error), state: 'warning' };
    }
  });
}
