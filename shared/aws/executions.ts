import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  ListMapRunsCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateMapRunCommand,
} from '@aws-sdk/client-sfn';

/** Runs of the state machine. */
export class Executions {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async isRunning(execution: string): Promise<boolean> {
    try {
      const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn: execution }));
      return status === 'RUNNING' || status === 'PENDING_REDRIVE';
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return false;
      throw error;
    }
  }

  /** Status, and what went wrong when it failed. */
  async describe(execution: string): Promise<{ status: string; error: string; cause: string }> {
    const described = await this.#client.send(new DescribeExecutionCommand({ executionArn: execution }));
    const { status = '', error = '', cause = '' } = described;
    return { status, error, cause };
  }

  /** @returns its ARN */
  async start(stateMachine: string, name: string, input: unknown): Promise<string> {
    const { executionArn = '' } = await this.#client.send(
      new StartExecutionCommand({ stateMachineArn: stateMachine, name, input: JSON.stringify(input) }),
    );
    return executionArn;
  }

  /** Changes how many children of an execution's Distributed Map run at once, where it has begun. */
  async setConcurrency(execution: string, maxConcurrency: number): Promise<void> {
    const { mapRuns = [] } = await this.#client.send(new ListMapRunsCommand({ executionArn: execution }));
    for (const { mapRunArn, stopDate } of mapRuns) {
      if (stopDate === undefined) await this.#client.send(new UpdateMapRunCommand({ mapRunArn, maxConcurrency }));
    }
  }

  async stop(execution: string, cause: string): Promise<void> {
    await this.#client.send(new StopExecutionCommand({ executionArn: execution, error: 'Stopped', cause }));
  }
}
