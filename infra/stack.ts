import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { HdfsFanout, type HdfsFanoutProps } from './hdfs-fanout.ts';

/** A deployment by itself. Without an account or region of its own it can be made anywhere and deployed to where the AWS CLI points. */
export class HdfsFanoutStack extends Stack {
  constructor(scope: Construct, id: string, props: HdfsFanoutProps & StackProps) {
    super(scope, id, { description: 'hdfs-fanout: copies between HDFS clusters', ...props });
    new HdfsFanout(this, 'Fanout', props);
  }
}
