import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { HdfsFanout, type HdfsFanoutProps } from './hdfs-fanout.ts';

/** A stack that is one deployment. It names no account and no region, and so is deployed to where the AWS CLI points. */
export class HdfsFanoutStack extends Stack {
  constructor(scope: Construct, id: string, props: HdfsFanoutProps & StackProps) {
    super(scope, id, { description: 'hdfs-fanout: copies between HDFS clusters', ...props });
    new HdfsFanout(this, 'Fanout', props);
  }
}
