import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { javaCommand, prepareHadoop } from '../../bench/hadoop.ts';
import { runProgram } from '../bed/tools.ts';

/** Runs Hadoop's own DistCp for each list of arguments, one after the other in one JVM. @returns their exit codes */
export async function realDistCp(lists: readonly (readonly string[])[]): Promise<number[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-distcp-'));
  await prepareHadoop(scratch, 2);
  const { program, args, env } = await javaCommand(scratch, join(import.meta.dirname, 'DistCps.java'), []);
  const input = lists.map((list) => `${list.join('\t')}\n`).join('');
  const { stdout, stderr } = await runProgram(program, args, { env: { ...process.env, ...env }, input });
  const codes = [...stdout.matchAll(/^=(-?\d+)$/gm)].map(([, code]) => Number(code));
  if (codes.length !== lists.length) throw new Error(`DistCp ended early: ${stdout}\n${stderr}`);
  if (process.env['DISTCP_SAYS']) process.stderr.write(stderr);
  return codes;
}
