import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Row } from '../doctor/row.ts';
import { RefusedError, SpecError } from '../errors.ts';
import { errorNames } from '../names.ts';
import type { DoctorRequest } from './doctor-step.ts';

/** The doctor of a deployment, which sees a cluster as its copiers do. */
export class DoctorLambda {
  readonly #client: LambdaClient;
  readonly #functionName: () => string;

  /** @param functionName  throws when the deployment has none */
  constructor(client: LambdaClient, functionName: () => string) {
    this.#client = client;
    this.#functionName = functionName;
  }

  /** @throws SpecError for a wrong request; RefusedError when the Lambda itself failed */
  async examine(request: DoctorRequest): Promise<readonly Row[]> {
    const FunctionName = this.#functionName();
    const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) });
    const { FunctionError, Payload } = await this.#client.send(command);
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString() || 'null');
    if (FunctionError === undefined) return (answer as { rows: Row[] }).rows;
    const { errorType, errorMessage = FunctionError } = (answer ?? {}) as { errorType?: string; errorMessage?: string };
    if (errorType === errorNames.spec) throw new SpecError(errorMessage);
    throw new RefusedError(`the Lambda ${FunctionName} failed: ${errorMessage}`, 'look at its log');
  }
}
