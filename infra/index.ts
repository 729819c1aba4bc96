/** What other CDK apps import as `hdfs-fanout/infra`. */
export type { ClusterProps } from './clusters.ts';
export { readConfig } from './config.ts';
export type { FunctionName, FunctionSize } from './functions.ts';
export { HdfsFanout, type HdfsFanoutProps } from './hdfs-fanout.ts';
export type { EndpointService, NetworkProps, SubnetProps } from './network.ts';
export type { ScheduledJob, ScheduleProps } from './schedules.ts';
export { HdfsFanoutStack } from './stack.ts';
