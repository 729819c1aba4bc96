import { findDeployment } from '../shared/aws/deployment.ts';
import { SpecError } from '../shared/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { printEvent } from './output.ts';

/** `hdfs-fanout stop JOB`. What it left is swept, and its destination freed, by the Lambda that closes it. @returns the exit code */
export async function stop(id: string, flags: { stack: string; json: boolean }): Promise<number> {
  const { active, executions } = await findDeployment(flags.stack);
  const driven = await active.get(id);
  if (!driven) throw new SpecError(`job ${id} is not running`, `hdfs-fanout jobs --stack ${flags.stack} lists jobs`);
  await executions.stop(driven.execution, 'stopped with hdfs-fanout stop');
  if (flags.json) printEvent('stopping', { job: id });
  else process.stdout.write(`${id} is stopping; until it is closed: hdfs-fanout watch ${id} --stack ${flags.stack}\n`);
  return exitCodes.success;
}
