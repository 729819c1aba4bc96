import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type JobFlags, specOf, type TreeFlags, verifySpecOf } from '../../cli/options.ts';
import { program } from '../../cli/program.ts';
import { parseJobSpec } from '../../shared/job/spec.ts';
import { runProgram } from '../bed/tools.ts';
import { projectRoot } from '../support/documents.ts';

/** The example for Airflow: it compiles, and its job and its commands are ones that are taken. Airflow itself is not started. */

const file = join(projectRoot, 'demo/airflow/hdfs_fanout.py');

/** Compiles the file, which needs nothing installed, and prints its constants. */
const reader = `
import ast, json, sys
source = open(sys.argv[1]).read()
compile(source, sys.argv[1], "exec")
constants = {}
for node in ast.parse(source).body:
    if isinstance(node, ast.Assign) and node.targets[0].id.isupper():
        constants[node.targets[0].id] = ast.literal_eval(node.value)
print(json.dumps(constants))
`;

interface Constants {
  readonly JOB: unknown;
  readonly COPY: readonly string[];
  readonly VERIFY: string;
}

async function constantsIn(path: string): Promise<Constants> {
  const { code, stdout, stderr } = await runProgram('python3', ['-c', reader, path]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Constants;
}

/** The flags and operands of a command line, read as the command line reads it, and not run. */
async function parsed(words: readonly string[]): Promise<{ operands: string[]; flags: unknown }> {
  expect(words[0]).toBe('hdfs-fanout');
  const command = program.commands.find((one) => one.name() === words[1]);
  if (!command) throw new Error(`${words.join(' ')} is no command`);
  command.action(() => undefined);
  await program.parseAsync(words.slice(1), { from: 'user' });
  return { operands: command.args, flags: command.opts() };
}

test('its job is one that the state machine takes, and repeats', async () => {
  const { JOB } = await constantsIn(file);
  expect(parseJobSpec(JOB).options).toMatchObject({ mapping: 'exact', existing: 'update', delete: true });
});

test('its commands are ones that the command line takes', async () => {
  const { COPY, VERIFY } = await constantsIn(file);
  const copy = await parsed(COPY);
  expect(specOf(copy.operands, copy.flags as JobFlags).options).toMatchObject({ mapping: 'exact', mkpath: true });
  const verify = await parsed(VERIFY.split(' '));
  const [source = '', destination = ''] = verify.operands;
  verifySpecOf(source, destination, verify.flags as TreeFlags);
  expect(verify.operands).toEqual(copy.operands);
});
