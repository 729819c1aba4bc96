import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SpecError } from '../errors.ts';
import { type Cluster, parseCluster, usesKerberos } from '../hdfs/cluster.ts';
import type { ClusterSecrets } from '../names.ts';

/** The part of a cluster's configuration that copiers may not read. */
export interface Credential {
  readonly token?: string;
  readonly password?: string;
  /** Base64. */
  readonly keytab?: string;
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

  /** @throws SpecError when the deployment cannot log in to this cluster */
  requireKerberos(alias: string): void {
    if (this.#secretsOf(alias).kerberos === true) return;
    throw new SpecError(
      `cluster ${alias} uses Kerberos, for which the deployment was not made`,
      `say clusters.${alias}.kerberos: true in the deployment's configuration and deploy`,
    );
  }

  /**
   * Divides a definition from its credential and keeps both.
   * @param cluster  with the texts of its files in place of their names, the keytab in Base64
   * @throws SpecError when the deployment has no such cluster
   */
  async push(cluster: Cluster): Promise<void> {
    const { token, password, keytab, ...definition } = cluster;
    const secrets = this.#secretsOf(definition.name);
    if (usesKerberos(cluster)) this.requireKerberos(definition.name);
    const credential: Credential = {
      ...(token === undefined ? {} : { token }),
      ...(password === undefined ? {} : { password }),
      ...(keytab === undefined ? {} : { keytab }),
    };
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
