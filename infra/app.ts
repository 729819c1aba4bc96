import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readConfig } from './config.ts';
import { HdfsFanoutStack } from './stack.ts';

/** What `cdk deploy` deploys, by the file that `-c config=FILE` names. */
const app = new App();
const { stackName, props } = readConfig(String(app.node.tryGetContext('config') ?? 'hdfs-fanout.json'));
new HdfsFanoutStack(app, stackName, props);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
