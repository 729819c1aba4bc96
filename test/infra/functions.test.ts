import { Duration } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { expect, it } from 'vitest';
import { environment } from '../../shared/names.ts';
import { Deployed, withKerberos } from '../support/deployed.ts';

const functionsOf = (deployed: Deployed) => deployed.resources('AWS::Lambda::Function');

it('run on Node 24 and arm64, with the memory and time that are asked for', () => {
  const { template } = new Deployed();
  template.resourceCountIs('AWS::Lambda::Function', 6);
  template.allResourcesProperties('AWS::Lambda::Function', {
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Handler: 'index.handler',
  });
  const functions = { copy: { memoryMiB: 3008 }, plan: { timeout: Duration.minutes(3) } };
  const changed = functionsOf(new Deployed({ architecture: Architecture.X86_64, functions }));
  expect(changed['FunctionsCopyFunction']).toMatchObject({ MemorySize: 3008, Timeout: 900, Architectures: ['x86_64'] });
  expect(changed['FunctionsPlanFunction']).toMatchObject({ MemorySize: 1769, Timeout: 180 });
});

it('have every variable of names.ts, the closer’s name only the reaper, the renewer’s period only the renewer', () => {
  const { closer, renewMinutes, ...common } = environment;
  for (const [name, { Environment }] of Object.entries(functionsOf(withKerberos()))) {
    const { Variables } = Environment as { Variables: Record<string, unknown> };
    const own = { FunctionsReapFunction: [closer], FunctionsRenewFunction: [renewMinutes] }[name] ?? [];
    expect([name, Object.keys(Variables).sort()]).toEqual([name, [...Object.values(common), ...own].sort()]);
  }
});

it('take no share of the account’s concurrency, unless that is asked for', () => {
  const reserved = (deployed: Deployed) =>
    Object.values(functionsOf(deployed)).map((one) => one['ReservedConcurrentExecutions']);
  expect(reserved(new Deployed({ copiers: 7 }))).toEqual(Array(6).fill(undefined));
  expect(reserved(new Deployed({ copiers: 7, reserveConcurrency: true }))).toEqual([
    undefined,
    7,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

it('are told how many copiers there may be, and how many transfers in each', () => {
  const { Environment } =
    functionsOf(new Deployed({ copiers: 7, transfersPerCopier: 3 }))['FunctionsPlanFunction'] ?? {};
  expect(Environment).toMatchObject({ Variables: { HDFS_FANOUT_COPIERS: '7', HDFS_FANOUT_TRANSFERS: '3' } });
});
