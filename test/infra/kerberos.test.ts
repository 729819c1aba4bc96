import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../infra/config.ts';
import { copyInstalled, isNewer, VERSION } from '../../infra/kerberos-layer.ts';
import { Deployed, example, flat, kerberosLayerArn, withKerberos } from '../support/deployed.ts';

const layersOf = (deployed: Deployed) =>
  Object.entries(deployed.resources('AWS::Lambda::Function')).map(([name, { Layers }]) => [
    name,
    ((Layers as unknown[] | undefined) ?? []).map((layer) => flat(layer)),
  ]);

function readConfigWith(changes: object) {
  const file = join(mkdtempSync(join(tmpdir(), 'hdfs-fanout-config-')), 'hdfs-fanout.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(example, 'utf8')) as object), ...changes }));
  return readConfig(file);
}

describe('a deployment without Kerberos', () => {
  const deployed = new Deployed();

  it('has no layer, no renewer and nothing that starts one', () => {
    deployed.template.resourceCountIs('AWS::Lambda::LayerVersion', 0);
    expect(layersOf(deployed).filter(([, layers]) => layers?.length !== 0)).toEqual([]);
    expect(Object.keys(deployed.resources('AWS::Events::Rule'))).not.toContain('RenewalRounds');
    expect(JSON.stringify(deployed.template.toJSON())).not.toMatch(/renew/i);
  });
});

describe('a deployment with a cluster that uses Kerberos', () => {
  it('gives the layer to those that log in, never to copiers or the reaper', () => {
    const layer = [kerberosLayerArn];
    expect(Object.fromEntries(layersOf(withKerberos()))).toEqual({
      FunctionsPlanFunction: layer,
      FunctionsCopyFunction: [],
      FunctionsDoctorFunction: layer,
      FunctionsFinishFunction: layer,
      FunctionsCloseFunction: layer,
      FunctionsReapFunction: [],
      FunctionsRenewFunction: layer,
    });
  });

  it('renews every 15 minutes, or as told, and says so to the renewer', () => {
    const rounds = (deployed: Deployed) => {
      const { ScheduleExpression, Targets } = deployed.resources('AWS::Events::Rule')['RenewalRounds'] ?? {};
      expect((Targets as { Arn: unknown }[]).map(({ Arn }) => flat(Arn))).toEqual(['<FunctionsRenewFunction.Arn>']);
      const { Environment } = deployed.resources('AWS::Lambda::Function')['FunctionsRenewFunction'] ?? {};
      const { Variables } = Environment as { Variables: Record<string, string> };
      return [ScheduleExpression, Variables['HDFS_FANOUT_RENEW_MINUTES']];
    };
    expect(rounds(withKerberos())).toEqual(['rate(15 minutes)', '15']);
    expect(rounds(withKerberos({ tokenRenewal: Duration.minutes(5) }))).toEqual(['rate(5 minutes)', '5']);
  });

  it('raises an alarm when a token is not renewed, and when the renewer is silent', () => {
    const alarm = withKerberos().resources('AWS::CloudWatch::Alarm')['MonitoringTokensNotRenewed'];
    expect(alarm).toMatchObject({
      Namespace: 'HdfsFanout',
      MetricName: 'TokenRenewalsFailed',
      Threshold: 0,
      Period: 1800,
      TreatMissingData: 'breaching',
    });
  });

  it('lets KDCs be asked over UDP', () => {
    const group = withKerberos().resources('AWS::EC2::SecurityGroup')['NetworkSecurityGroup'];
    expect(group?.['SecurityGroupEgress']).toEqual([
      expect.objectContaining({ IpProtocol: 'tcp', FromPort: 0, ToPort: 65535 }),
      expect.objectContaining({ IpProtocol: 'udp', FromPort: 88, ToPort: 88 }),
    ]);
  });

  it('tells Lambdas and command line which clusters they are', () => {
    const { Environment } = withKerberos().resources('AWS::Lambda::Function')['FunctionsPlanFunction'] ?? {};
    const { Variables } = Environment as { Variables: Record<string, string> };
    const clusters = JSON.parse(Variables['HDFS_FANOUT_CLUSTERS'] ?? '') as Record<string, { kerberos?: boolean }>;
    expect(Object.entries(clusters).map(([alias, { kerberos }]) => [alias, kerberos])).toEqual([
      ['staging', undefined],
      ['prod', true],
    ]);
  });
});

describe('the layer', () => {
  const own = process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;

  it('has the addon where Lambda looks for it, and the libraries that it opens', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-layer-'));
    expect(copyInstalled(directory, own)).toBeUndefined();
    const addon = join(directory, 'nodejs/node_modules/kerberos');
    expect(existsSync(join(addon, 'build/Release/kerberos.node'))).toBe(true);
    expect(existsSync(join(addon, 'package.json'))).toBe(true);
    const libraries = [
      'libcom_err.so.2',
      'libgssapi_krb5.so.2',
      'libk5crypto.so.3',
      'libkrb5.so.3',
      'libkrb5support.so.0',
    ];
    expect(readdirSync(join(directory, 'lib'))).toEqual(expect.arrayContaining(libraries));
    expect(readdirSync(join(directory, 'lib')).filter((name) => /^lib(?:c|resolv|stdc)/.test(name))).toEqual([
      'libcom_err.so.2',
    ]);
  });

  it('is not made of what is installed for another processor', () => {
    const other = own === Architecture.ARM_64 ? Architecture.X86_64 : Architecture.ARM_64;
    const directory = mkdtempSync(join(tmpdir(), 'hdfs-fanout-layer-'));
    expect(copyInstalled(directory, other)).toMatch(/^this machine is .*, and the Lambdas are /);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('has the version that is installed here', () => {
    const file = join(import.meta.dirname, '../../package.json');
    const { optionalDependencies } = JSON.parse(readFileSync(file, 'utf8')) as {
      optionalDependencies: { kerberos: string };
    };
    expect(optionalDependencies.kerberos).toBe(`^${VERSION}`);
  });

  it('knows which versions Lambda lacks', () => {
    expect(isNewer('2.36', '2.34')).toBe(true);
    expect(isNewer('2.34', '2.34')).toBe(false);
    expect(isNewer('2.4', '2.34')).toBe(false);
    expect(isNewer('3.4.30', '3.4.29')).toBe(true);
  });

  it('is named in a deployment file by a version’s ARN', () => {
    expect(() => readConfigWith({ kerberosLayerArn: 'kerberos' })).toThrow('kerberosLayerArn: expected the ARN');
    expect(readConfigWith({ kerberosLayerArn }).props.kerberosLayerArn).toBe(kerberosLayerArn);
  });
});
