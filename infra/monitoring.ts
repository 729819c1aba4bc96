import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { metrics } from '../shared/names.ts';
import type { Functions } from './functions.ts';

const PERIOD = Duration.minutes(5);
/** Periods in a row with throttled copiers, or failed Lambdas, before the alarm: what is tried again in a moment is no news. */
const LASTING_PERIODS = 3;

export interface MonitoringProps {
  readonly functions: Functions;
  /** Of the job store. */
  readonly table: dynamodb.TableV2;
  readonly machine: sfn.IStateMachine;
  readonly topic: sns.ITopic;
  /** How long a job may be at work before the alarm. */
  readonly oldestJob: Duration;
  /** Time between two rounds of the renewer. */
  readonly tokenRenewal: Duration;
}

/** Alarms, each with a heading in docs/operations.md that says what to do, and a dashboard. */
export class Monitoring extends Construct {
  readonly #topic: sns.ITopic;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { functions, table, machine, topic, oldestJob, tokenRenewal } = props;
    this.#topic = topic;
    const jobsFailed = metric(metrics.jobsFailed);
    const filesFailed = metric(metrics.filesFailed);
    const throttles = functions.copy.lambda.metricThrottles({ period: PERIOD });
    const oldest = metric(metrics.oldestActiveJobSeconds, 'Maximum');
    const { GREATER_THAN_THRESHOLD } = cloudwatch.ComparisonOperator;
    const any = { threshold: 0, comparisonOperator: GREATER_THAN_THRESHOLD, evaluationPeriods: 1 };
    const alarms = [
      // Failed jobs are counted by the Lambdas: an execution also fails when its destination is busy or its input wrong.
      this.#alarm('JobFailed', 'Jobs failed', { ...any, metric: jobsFailed }),
      this.#alarm('FilesFailed', 'Files failed', { ...any, metric: filesFailed }),
      this.#alarm('CopyThrottled', 'Copiers throttled', {
        ...any,
        metric: throttles,
        evaluationPeriods: LASTING_PERIODS,
      }),
      ...[functions.finish, functions.close, functions.reap].map(({ lambda, node }) =>
        this.#alarm(`${node.id}Failing`, 'Jobs cannot be ended', {
          ...any,
          metric: lambda.metricErrors({ period: PERIOD }),
          evaluationPeriods: LASTING_PERIODS,
        }),
      ),
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
      ...(['ReadThrottleEvents', 'WriteThrottleEvents'] as const).map((name) =>
        this.#alarm(`Table${name}`, 'Records throttled', {
          ...any,
          metric: table.metric(name, { statistic: 'Sum', period: PERIOD }),
          evaluationPeriods: LASTING_PERIODS,
        }),
      ),
      this.#alarm('JobTooOld', 'A job takes too long', {
        metric: oldest,
        threshold: oldestJob.toSeconds(),
        comparisonOperator: GREATER_THAN_THRESHOLD,
        evaluationPeriods: 2,
        // The reaper says an age every five minutes, 0 without a job: silence is a reaper that does not run.
        treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      }),
    ];
    if (functions.renew) {
      const period = Duration.minutes(2 * tokenRenewal.toMinutes());
      const failed = metric(metrics.tokenRenewalsFailed, 'Sum', period);
      // The renewer says a number each round, 0 when all is well: silence is a renewer that does not run.
      const { BREACHING } = cloudwatch.TreatMissingData;
      alarms.push(
        this.#alarm('TokensNotRenewed', 'Delegation tokens are not renewed', {
          ...any,
          metric: failed,
          treatMissingData: BREACHING,
        }),
      );
    }
    this.#dashboard(alarms, functions, machine);
  }

  /** @param heading  in docs/operations.md */
  #alarm(id: string, heading: string, props: cloudwatch.AlarmProps): cloudwatch.Alarm {
    const alarm = new cloudwatch.Alarm(this, id, {
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...props,
      alarmDescription: `hdfs-fanout: see docs/operations.md, "Alarm: ${heading}"`,
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
    alarm.addOkAction(new SnsAction(this.#topic));
    return alarm;
  }

  #dashboard(
    alarms: cloudwatch.Alarm[],
    { plan, copy, finish, close, renew }: Functions,
    machine: sfn.IStateMachine,
  ): void {
    const graph = (title: string, ...left: cloudwatch.IMetric[]) =>
      new cloudwatch.GraphWidget({ title, left, width: 8 });
    const lambdas = [plan, copy, finish, close, ...(renew ? [renew] : [])].map(({ lambda }) => lambda);
    new cloudwatch.Dashboard(this, 'Dashboard', {
      widgets: [
        [new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms, width: 24 })],
        [
          graph('Jobs', metric(metrics.jobsSuccessful), metric(metrics.jobsFailed), machine.metricStarted()),
          graph('Files', metric(metrics.filesCopied), metric(metrics.filesFailed)),
          graph('Bytes', metric(metrics.bytesCopied)),
        ],
        [
          graph(
            'Copiers at once',
            copy.lambda.metric('ConcurrentExecutions', { statistic: 'Maximum', period: PERIOD }),
          ),
          graph('Errors', ...lambdas.map((lambda) => lambda.metricErrors({ period: PERIOD }))),
          graph('Age of the oldest job, s', metric(metrics.oldestActiveJobSeconds, 'Maximum')),
        ],
      ],
    });
  }
}

function metric(metricName: string, statistic = 'Sum', period = PERIOD): cloudwatch.Metric {
  const { namespace, service } = metrics;
  return new cloudwatch.Metric({ namespace, metricName, dimensionsMap: { service }, statistic, period });
}
