import { describe, expect, it } from 'vitest';
import type { NetworkProps } from '../../infra/network.ts';
import { Deployed, flat } from '../support/deployed.ts';

/** Where the Lambdas run, and how they reach AWS. */

const network: NetworkProps = {
  vpcId: 'vpc-00000001',
  subnets: [
    { subnetId: 'subnet-0000000a', availabilityZone: 'us-east-1a', routeTableId: 'rtb-00000001' },
    { subnetId: 'subnet-0000000b', availabilityZone: 'us-east-1b', routeTableId: 'rtb-00000001' },
    { subnetId: 'subnet-000000b2', availabilityZone: 'us-east-1b', routeTableId: 'rtb-00000002' },
  ],
};

const endpointsOf = (deployed: Deployed) =>
  Object.values(deployed.resources('AWS::EC2::VPCEndpoint')).map(
    (endpoint): Record<string, unknown> & { service: string } => ({
      ...endpoint,
      service: flat(endpoint['ServiceName']).replace('com.amazonaws.<AWS::Region>.', ''),
    }),
  );

describe('endpoints', () => {
  it('to every service that a Lambda in the VPC calls: no NAT gateway is needed', () => {
    const endpoints = endpointsOf(new Deployed({ network }));
    expect(endpoints.map(({ service }) => service)).toEqual(['s3', 'dynamodb', 'secretsmanager', 'kms', 'states']);
    for (const endpoint of endpoints.slice(0, 2)) {
      expect(endpoint).toMatchObject({ VpcEndpointType: 'Gateway', RouteTableIds: ['rtb-00000001', 'rtb-00000002'] });
    }
    for (const endpoint of endpoints.slice(2)) {
      expect(endpoint).toMatchObject({ VpcEndpointType: 'Interface', PrivateDnsEnabled: true });
      expect(endpoint['SubnetIds']).toHaveLength(2);
    }
  });

  it('that exist are left alone', () => {
    const existing = { s3: 'existing', dynamodb: 'existing', secretsmanager: 'existing', kms: 'existing' } as const;
    const some = endpointsOf(new Deployed({ network: { ...network, endpoints: existing } }));
    expect(some.map(({ service }) => service)).toEqual(['states']);
    const none = new Deployed({ network: { ...network, endpoints: { ...existing, states: 'existing' } } });
    expect(endpointsOf(none)).toEqual([]);
    none.template.resourceCountIs('AWS::EC2::SecurityGroup', 1);
  });

  it('to be made for subnets without a route table are refused, with what to say', () => {
    const subnets = [{ subnetId: 'subnet-0000000a', availabilityZone: 'us-east-1a' }];
    expect(() => new Deployed({ network: { vpcId: 'vpc-00000001', subnets } })).toThrow(
      'network.subnets.0.routeTableId: needed to create the s3 endpoint; or say network.endpoints.s3: "existing"',
    );
  });
});

describe('security groups', () => {
  it('are made when none is given: nothing comes in, and endpoints take the Lambdas alone', () => {
    const deployed = new Deployed({ network });
    const groups = deployed.resources('AWS::EC2::SecurityGroup');
    expect(Object.keys(groups)).toEqual(['NetworkSecurityGroup', 'NetworkEndpointSecurityGroup']);
    for (const group of Object.values(groups)) expect(group).not.toHaveProperty('SecurityGroupIngress');
    expect(groups['NetworkSecurityGroup']?.['SecurityGroupEgress']).toMatchObject([
      { CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 0, ToPort: 65535 },
    ]);
    const [ingress, ...others] = Object.values(deployed.resources('AWS::EC2::SecurityGroupIngress'));
    expect(others).toEqual([]);
    expect(ingress).toMatchObject({ FromPort: 443, ToPort: 443, IpProtocol: 'tcp' });
    expect(flat(ingress?.['SourceSecurityGroupId'])).toBe('<NetworkSecurityGroup.GroupId>');
    expect(flat(ingress?.['GroupId'])).toBe('<NetworkEndpointSecurityGroup.GroupId>');
  });

  it('that are given are used as they are', () => {
    const deployed = new Deployed({ network: { ...network, securityGroupIds: ['sg-00000001', 'sg-00000002'] } });
    expect(Object.keys(deployed.resources('AWS::EC2::SecurityGroup'))).toEqual(['NetworkEndpointSecurityGroup']);
    expect(deployed.resources('AWS::Lambda::Function')['FunctionsCopyFunction']?.['VpcConfig']).toEqual({
      SecurityGroupIds: ['sg-00000001', 'sg-00000002'],
      SubnetIds: ['subnet-0000000a', 'subnet-0000000b', 'subnet-000000b2'],
    });
    expect(deployed.resources('AWS::EC2::SecurityGroupEgress')).toEqual({});
  });
});

it('holds every Lambda that talks to a cluster, and not the reaper', () => {
  const functions = new Deployed({ network }).resources('AWS::Lambda::Function');
  const inside = Object.entries(functions).filter(([, { VpcConfig }]) => VpcConfig !== undefined);
  expect(inside.map(([name]) => name)).toEqual(
    ['Plan', 'Copy', 'Finish', 'Close', 'Doctor'].map((name) => `Functions${name}Function`),
  );
});

it('makes nothing that asks the account: no VPC, no lookup', () => {
  const { app, template } = new Deployed({ network });
  template.resourceCountIs('AWS::EC2::VPC', 0);
  template.resourceCountIs('AWS::EC2::NatGateway', 0);
  expect(app.synth().manifest.missing ?? []).toEqual([]);
});
