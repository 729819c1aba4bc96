import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { lambdaNames } from '../../shared/names.ts';
import { withKerberos } from '../support/deployed.ts';

/** The construct as other CDK apps get it: from the packed tarball, beside the aws-cdk-lib that they have already. */

const checkout = join(import.meta.dirname, '../..');
let directory: string;

const consumer = `
import { App, Stack } from 'aws-cdk-lib';
import { HdfsFanout, type HdfsFanoutProps } from 'hdfs-fanout/infra';

const props: HdfsFanoutProps = {
  network: {
    vpcId: 'vpc-00000001',
    subnets: [{ subnetId: 'subnet-00000001', availabilityZone: 'us-east-1a', routeTableId: 'rtb-00000001' }],
  },
  clusters: { staging: {}, prod: {} },
  schedules: [
    {
      name: 'nightly',
      expression: 'rate(1 day)',
      job: { source: 'staging:/out', destination: 'prod:/in', options: { mapping: 'exact' } },
    },
  ],
};
const app = new App({ outdir: 'cdk.out' });
const { stateMachine } = new HdfsFanout(new Stack(app, 'Ours'), 'Copies', props);
export const arn: string = stateMachine.stateMachineArn;
app.synth();
`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-consumer-'));
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory];
  const tarball = execFileSync('npm', args, { cwd: checkout, encoding: 'utf8' }).trim();
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  execFileSync('tar', ['-xzf', join(directory, tarball), '-C', directory]);
  execFileSync('mv', [join(directory, 'package'), join(modules, 'hdfs-fanout')]);
  for (const name of ['aws-cdk-lib', 'constructs', 'zod']) {
    symlinkSync(join(checkout, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(directory, 'app.ts'), consumer);
});

test('it deploys the Lambdas that the package ships', () => {
  execFileSync(process.execPath, ['app.ts'], { cwd: directory, stdio: 'pipe' });
  const out = join(directory, 'cdk.out');
  const assets = readdirSync(out)
    .filter((name) => name.startsWith('asset.'))
    .map((name) => readdirSync(join(out, name)));
  expect(assets).toEqual(Array(6).fill(['index.mjs']));
});

test('it ships a bundle for each Lambda of the template, and no other', () => {
  const lambdas = Object.keys(withKerberos().resources('AWS::Lambda::Function'));
  const bundles = readdirSync(join(directory, 'node_modules/hdfs-fanout/dist/functions'));
  const idOf = (name: string) => `Functions${name.replace(/^./, (first) => first.toUpperCase())}Function`;
  expect(bundles.map(idOf).sort()).toEqual(lambdas.sort());
  expect(bundles.sort()).toEqual([...lambdaNames].sort());
});

test('its types say what is wrong: a schedule without a mapping', () => {
  writeFileSync(join(directory, 'wrong.ts'), consumer.replace("{ mapping: 'exact' }", '{ force: true }'));
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    module: 'nodenext',
    target: 'es2024',
    types: [],
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts', 'wrong.ts'] }));
  const tsc = join(checkout, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: directory, encoding: 'utf8' });
  const errors = stdout.split('\n').filter((line) => line.includes(': error '));
  expect(errors).toEqual([expect.stringMatching(/^wrong\.ts\(.*error TS/)]);
  expect(stdout).toContain("Property 'mapping' is missing");
});
