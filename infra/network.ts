import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

export interface SubnetProps {
  readonly subnetId: string;
  readonly availabilityZone: string;
  /** Route table of the subnet, needed where a gateway endpoint is made. */
  readonly routeTableId?: string;
}

const gateways = ['s3', 'dynamodb'] as const;
const interfaces = ['secretsmanager', 'kms', 'states'] as const;

/** Services that the Lambdas in the VPC call. Their logs and metrics leave by way of Lambda itself. */
export const endpointServices = [...gateways, ...interfaces];
export type EndpointService = (typeof endpointServices)[number];

/** VPC and subnets by id, without a look at the account: the template is the same wherever it is made. */
export interface NetworkProps {
  readonly vpcId: string;
  /** Subnets from which both clusters' namenodes and every datanode are reached. */
  readonly subnets: readonly SubnetProps[];
  /** Security groups of the Lambdas. Where none is named one is made, which lets nothing in and every TCP port out. */
  readonly securityGroupIds?: readonly string[];
  /**
   * How the Lambdas reach a service of AWS: `create`, the default, makes an endpoint; `existing` is for what the VPC has already, or
   * reaches through a NAT gateway. A VPC has at most one endpoint with private DNS for each service.
   */
  readonly endpoints?: Readonly<Partial<Record<EndpointService, 'create' | 'existing'>>>;
}

/** Where the Lambdas run that talk to a cluster, and the endpoints by which they reach AWS without a NAT gateway. */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.ISubnet[];
  readonly securityGroups: ec2.ISecurityGroup[];

  constructor(
    scope: Construct,
    id: string,
    { vpcId, subnets, securityGroupIds = [], endpoints = {}, kerberos }: NetworkProps & { readonly kerberos: boolean },
  ) {
    super(scope, id);
    if (subnets.length === 0) throw new Error('network.subnets: name at least one');
    const availabilityZones = [...new Set(subnets.map(({ availabilityZone }) => availabilityZone))];
    this.vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones });
    this.subnets = subnets.map((subnet, i) => ec2.Subnet.fromSubnetAttributes(this, `Subnet${i}`, subnet));
    this.securityGroups = securityGroupIds.map((group, i) =>
      ec2.SecurityGroup.fromSecurityGroupId(this, `SecurityGroup${i}`, group, { mutable: false }),
    );
    if (this.securityGroups.length === 0) this.securityGroups.push(this.#lambdaGroup(kerberos));
    const created = (service: EndpointService) => (endpoints[service] ?? 'create') === 'create';
    for (const service of gateways) if (created(service)) this.#gateway(service, subnets);
    const interfacesToMake = interfaces.filter(created);
    if (interfacesToMake.length === 0) return;
    const group = this.#endpointGroup();
    for (const service of interfacesToMake) this.#interface(service, group);
  }

  /** Makes a group that lets every TCP port out, since the ports and addresses of Hadoop's daemons are the clusters' choice. */
  #lambdaGroup(kerberos: boolean): ec2.ISecurityGroup {
    const group = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: this.vpc,
      description: 'hdfs-fanout: Lambdas that talk to HDFS',
      allowAllOutbound: false,
    });
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.allTcp(), 'namenodes, datanodes and endpoints');
    // libkrb5 asks over UDP first, unless krb5.conf says udp_preference_limit.
    if (kerberos) group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.udp(88), 'KDCs');
    return group;
  }

  #endpointGroup(): ec2.ISecurityGroup {
    const group = new ec2.SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: this.vpc,
      description: 'hdfs-fanout: endpoints of AWS services',
      allowAllOutbound: false,
    });
    for (const peer of this.securityGroups) group.addIngressRule(peer, ec2.Port.tcp(443), 'from the Lambdas');
    return group;
  }

  /** Makes a gateway endpoint, which costs nothing. */
  #gateway(service: string, subnets: readonly SubnetProps[]): void {
    const routeTableIds = subnets.map(({ routeTableId }, i) => {
      if (routeTableId !== undefined) return routeTableId;
      throw new Error(
        `network.subnets.${i}.routeTableId: needed to create the ${service} endpoint; or say network.endpoints.${service}: "existing"`,
      );
    });
    new ec2.CfnVPCEndpoint(this, service, {
      vpcEndpointType: 'Gateway',
      vpcId: this.vpc.vpcId,
      serviceName: this.#nameOf(service),
      routeTableIds: [...new Set(routeTableIds)],
    });
  }

  /** Makes an interface endpoint, which is paid by the hour and zone. */
  #interface(service: string, group: ec2.ISecurityGroup): void {
    const zones = new Map(this.subnets.map((subnet) => [subnet.availabilityZone, subnet.subnetId]));
    new ec2.CfnVPCEndpoint(this, service, {
      vpcEndpointType: 'Interface',
      vpcId: this.vpc.vpcId,
      serviceName: this.#nameOf(service),
      // An endpoint takes one subnet a zone.
      subnetIds: [...zones.values()],
      securityGroupIds: [group.securityGroupId],
      privateDnsEnabled: true,
    });
  }

  #nameOf(service: string): string {
    return `com.amazonaws.${Stack.of(this).region}.${service}`;
  }
}
