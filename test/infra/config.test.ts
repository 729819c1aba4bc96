import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../infra/config.ts';
import { example } from '../support/deployed.ts';

type Json = Record<string, unknown>;

const valid = JSON.parse(readFileSync(example, 'utf8')) as Json & { network: Json; clusters: Json };
const minimal = {
  network: { vpcId: 'vpc-1', subnets: [{ subnetId: 'subnet-1', availabilityZone: 'a', routeTableId: 'rtb-1' }] },
  clusters: { a: {}, b: {} },
};

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-config-')), 'hdfs-fanout.json');
  writeFileSync(file, text);
  return file;
}

const read = (config: unknown) => readConfig(fileOf(JSON.stringify(config)));

it('reads the example, comments and all', () => {
  const { stackName, props } = readConfig(example);
  expect(stackName).toBe('HdfsFanout');
  expect(props.clusters).toEqual({
    staging: {},
    prod: { definition: 'hadoop/prod/definition', credential: 'hadoop/prod/credential' },
  });
  expect(props.functions?.copy?.timeout?.toSeconds()).toBe(900);
  expect(props.retention?.toDays()).toBe(30);
});

it('needs a network and clusters, and has a default for all else', () => {
  const { stackName, props } = read(minimal);
  expect(stackName).toBe('HdfsFanout');
  expect(props).toMatchObject(minimal);
  expect(props).not.toHaveProperty('copiers');
});

it.each<[string, unknown, string]>([
  ['no network', { clusters: {} }, 'network: Invalid input'],
  ['a field that is not known', { ...valid, copiesr: 1 }, 'the document: Unrecognized key: "copiesr"'],
  ['one inside', { ...valid, network: { ...valid.network, vpc: 'x' } }, 'network: Unrecognized key: "vpc"'],
  [
    'one in a cluster',
    { ...valid, clusters: { prod: { password: 'x' } } },
    'clusters.prod: Unrecognized key: "password"',
  ],
  [
    'an endpoint that is neither',
    { ...valid, network: { ...valid.network, endpoints: { kms: 'no' } } },
    'network.endpoints.kms: Invalid option: expected one of "create"|"existing"',
  ],
  [
    'an endpoint of another service',
    { ...valid, network: { ...valid.network, endpoints: { sqs: 'create' } } },
    'network.endpoints: ',
  ],
  [
    'a subnet without a zone',
    { ...valid, network: { vpcId: 'v', subnets: [{ subnetId: 's' }] } },
    'network.subnets.0.availabilityZone: ',
  ],
  ['half a copier', { ...valid, copiers: 0.5 }, 'copiers: '],
  [
    'a Lambda of more than 15 minutes',
    { ...valid, functions: { copy: { timeoutSeconds: 901 } } },
    'functions.copy.timeoutSeconds: ',
  ],
  [
    'a retention of logs that CloudWatch has not',
    { ...valid, logRetentionDays: 31 },
    'logRetentionDays: expected one of 1, 3, 5',
  ],
  ['an address that is none', { ...valid, alarms: { email: 'me' } }, 'alarms.email: '],
  [
    'a schedule without a mapping',
    {
      ...valid,
      schedules: [
        { name: 'x', expression: 'rate(1 day)', job: { source: 'prod:/a', destination: 'prod:/b', options: {} } },
      ],
    },
    'schedules.0.job.options.mapping: a schedule says "exact"',
  ],
])('refuses %s by its path', (_what, config, says) => {
  expect(() => read(config)).toThrow(`hdfs-fanout.json: ${says}`);
});

it('names the file that is not there, or not JSON', () => {
  expect(() => readConfig('/nowhere/hdfs-fanout.json')).toThrow(/^\/nowhere\/hdfs-fanout\.json: ENOENT/);
  expect(() => readConfig(fileOf('{ "network": '))).toThrow(/hdfs-fanout\.json: .*JSON/);
});
