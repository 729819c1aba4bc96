import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SpecError } from '../errors.ts';
import { type Cluster, parseCluster } from '../hdfs/cluster.ts';
import type { ClusterSecrets } from '../names.ts';

/** What only planner and closer may read of a cluster. */
export interface Credential {
  readonly token?: string;
}

/** Cluster definitions and credentials in Secrets Manager, two secrets a cluster. */
export class ClusterSecretStore {
  readonly #client: SecretsManagerClient;
  readonly #clusters: Readonly<Record<string, ClusterSecrets>>;

  constructor(client: SecretsManagerClient, clusters: Readonly<Record<string, ClusterSecrets>>) {
    this.#client = client;
    this.#clusters = clusters;
  }

  get aliases(): string[] {
    return Object.keys(this.#clusters);
  }

  /** The definition without its credential. @throws SpecError */
  async definition(alias: string): Promise<Cluster> {
    const text = await this.#value(this.#secretsOf(alias).definition, alias);
    return parseCluster(text, `the secret of cluster ${alias}`);
  }

  /** @throws SpecError */
  async credential(alias: string): Promise<Credential> {
    return JSON.parse(await this.#value(this.#secretsOf(alias).credential, alias)) as Credential;
  }

  /** Divides a definition from its credential and keeps both. @throws SpecError when the deployment has no such cluster */
  async push({ token, ...definition }: Cluster): Promise<void> {
    const secrets = this.#secretsOf(definition.name);
    const credential: Credential = token === undefined ? {} : { token };
    for (const [id, value] of [
      [secrets.definition, definition],
      [secrets.credential, credential],
    ] as const) {
      await this.#client.send(new PutSecretValueCommand({ SecretId: id, SecretString: JSON.stringify(value) }));
    }
  }

  #secretsOf(alias: string): ClusterSecrets {
    const secrets = this.#clusters[alias];
    if (secrets) return secrets;
    throw new SpecError(
      `the deployment has no cluster "${alias}"`,
      `it has ${this.aliases.join(', ') || 'none'}; add it to the deployment's configuration and deploy`,
    );
  }

  async #value(id: string, alias: string): Promise<string> {
    try {
      const { SecretString = '' } = await this.#client.send(new GetSecretValueCommand({ SecretId: id }));
      if (SecretString.startsWith('{')) return SecretString;
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
    throw new SpecError(`the secret of cluster ${alias} is empty`, 'fill it with hdfs-fanout clusters push FILE');
  }
}
