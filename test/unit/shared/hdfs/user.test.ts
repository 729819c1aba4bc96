import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { userOf } from '../../../../shared/hdfs/auth.ts';

const name = 'prod';

test('who asks is the definition’s user, then $HADOOP_USER_NAME, then who runs the process', () => {
  expect(userOf({ name, user: 'etl' }, { HADOOP_USER_NAME: 'alice' })).toBe('etl');
  expect(userOf({ name }, { HADOOP_USER_NAME: 'alice' })).toBe('alice');
  expect(userOf({ name }, { HADOOP_USER_NAME: '' })).toBe(userInfo().username);
  expect(userOf({ name }, {})).toBe(userInfo().username);
});

test.runIf(process.getuid?.() === 0)('under a number alone one line says what to do', () => {
  const module = join(import.meta.dirname, '../../../../shared/hdfs/auth.ts');
  const program = `import { userOf } from ${JSON.stringify(module)};
    try { console.log(userOf({ name: 'prod' }, {})); } catch (error) { console.log(error.name, error.message); }`;
  const args = ['--input-type=module', '-e', `process.setgid(54321); process.setuid(54321);\n${program}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toMatch(/^SpecError cluster prod: .*54321.*\(name a user in the cluster's definition/);
});
