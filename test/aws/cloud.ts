import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import { QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { inject } from 'vitest';
import { environment as environmentNames } from '../../shared/names.ts';
import { type CliResult, runCli, startCli } from '../support/cli.ts';
import { writeConf } from '../support/two-clusters.ts';
import type { SharedAws } from './shared-aws.ts';
import { type Clients, clientsOf } from './support.ts';

/** The shared deployment as a person sees it, and what a test looks at behind it. */
export class Cloud {
  readonly aws: SharedAws;
  readonly clients: Clients;

  constructor(aws: SharedAws) {
    this.aws = aws;
    this.clients = clientsOf(aws);
  }

  /** A command that has to do with the deployment. */
  run(...args: string[]): Promise<CliResult> {
    return runCli([...args, '--stack', this.aws.stack], { env: this.aws.environment });
  }

  begin(...args: string[]): ReturnType<typeof startCli> {
    return startCli([...args, '--stack', this.aws.stack], { env: this.aws.environment });
  }

  /** Starts a job and gives its id. */
  async start(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run('start', ...args);
    if (code !== 0) throw new Error(`start ended with ${String(code)}: ${stderr}`);
    return stdout.trim();
  }

  /** Points aliases of the deployment at other addresses. */
  async push(clusters: Readonly<Record<string, { readonly url: string } & Record<string, unknown>>>): Promise<void> {
    const definitions = Object.entries(clusters).map(([name, { url, ...fields }]) => ({
      name,
      user: 'root',
      nameservices: [{ urls: [url], mounts: ['/'] }],
      ...fields,
    }));
    const { code, stderr } = await this.run('clusters', 'push', writeConf(JSON.stringify({ clusters: definitions })));
    if (code !== 0) throw new Error(stderr);
  }

  executionOf(job: string): string {
    return `${this.output('StateMachineArn').replace(':stateMachine:', ':execution:')}:${job}`;
  }

  output(name: string): string {
    const value = this.aws.outputs[name];
    if (value === undefined) throw new Error(`the stack has no output ${name}`);
    return value;
  }

  described(execution: string) {
    return this.clients.stepFunctions.send(new DescribeExecutionCommand({ executionArn: execution }));
  }

  /** An execution once it has ended. */
  async ended(execution: string) {
    for (;;) {
      const described = await this.described(execution);
      if (described.status !== 'RUNNING') return described;
      await sleep(200);
    }
  }

  /** Until a job is neither at work nor being closed. */
  async atRest(job: string): Promise<void> {
    for (;;) {
      const { Items = [] } = await this.clients.documents.send(
        new QueryCommand({
          TableName: this.output('TableName'),
          KeyConditionExpression: 'pk = :pk AND sk = :sk',
          ExpressionAttributeValues: { ':pk': 'ACTIVE', ':sk': job },
          ConsistentRead: true,
        }),
      );
      if (Items.length === 0) return;
      await sleep(200);
    }
  }

  /** Everything that the deployment's stores and histories hold of a job, as text. */
  async everything(job: string): Promise<string> {
    const { Items = [] } = await this.clients.documents.send(new ScanCommand({ TableName: this.output('TableName') }));
    const { events = [] } = await this.clients.stepFunctions.send(
      new GetExecutionHistoryCommand({ executionArn: this.executionOf(job), includeExecutionData: true }),
    );
    return JSON.stringify({ Items, events });
  }
}

/**
 * Processes of Lambdas of a function at work, by a part of its name. The emulator runs each in a process of its own; those of
 * another emulator on this machine are left alone.
 */
export function lambdaProcesses(part: string): number[] {
  const own = `AWS_ENDPOINT_URL=${inject('aws').environment['AWS_ENDPOINT_URL'] ?? ''}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        const name = /AWS_LAMBDA_FUNCTION_NAME=([^\0]*)/.exec(environment)?.[1];
        return name?.includes(part) === true && environment.includes(own);
      } catch {
        return false;
      }
    });
}

/** What a process of a Lambda calls AWS with, the session of its own role, and the key that it is told. */
export function credentialsOf(pid: number) {
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
  const read = (name: string) => new RegExp(`(?:^|\\0)${name}=([^\\0]*)`).exec(environment)?.[1] ?? '';
  return {
    accessKeyId: read('AWS_ACCESS_KEY_ID'),
    secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
    sessionToken: read('AWS_SESSION_TOKEN'),
    key: read(environmentNames.key),
  };
}

/** Copiers that have a connection to this server: those of a test's own job, if the server is the test's own. */
export function copiersConnectedTo(url: string): number[] {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  // sl local_address rem_address st … inode: proc(5)
  const sockets = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote]) => remote?.endsWith(`:${port}`))
    .map((fields) => `socket:[${fields[9]}]`);
  return lambdaProcesses('Copy').filter((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)));
    } catch {
      return false;
    }
  });
}

/** As `kill -9` does; those that have ended are passed over. */
export function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
