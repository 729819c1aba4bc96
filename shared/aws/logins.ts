import { SpecError } from '../errors.ts';
import { type Cluster, usesKerberos } from '../hdfs/cluster.ts';
import { connect } from '../hdfs/connect.ts';
import { TokenClient } from '../hdfs/delegation-tokens.ts';
import type { NamenodeRest } from '../hdfs/rest.ts';
import type { Log } from '../log.ts';
import { Once } from '../once.ts';
import type { ClusterSecretStore } from './cluster-secrets.ts';
import { withKeytab } from './kerberos-files.ts';

/**
 * Clusters as seen by the Lambdas that may read credentials. A cluster is logged in to once, when its first token is needed.
 */
export class Logins implements AsyncDisposable {
  readonly #secrets: ClusterSecretStore;
  readonly #log: Log;
  readonly #clients = new Once<TokenClient>();
  readonly #connections: NamenodeRest[] = [];

  constructor({ secrets, log }: { readonly secrets: ClusterSecretStore; readonly log: Log }) {
    this.#secrets = secrets;
    this.#log = log;
  }

  /** A cluster's definition with its credential. One with Kerberos becomes `GSSAPI`: it asks with tickets, not with tokens. @throws SpecError */
  async clusterOf(alias: string): Promise<Cluster> {
    const definition = await this.#secrets.definition(alias);
    const { auth_mechanism: mechanism } = definition;
    if (mechanism === 'NONE') return definition;
    if (usesKerberos(definition)) {
      this.#secrets.requireKerberos(alias);
      return { ...withKeytab(definition, await this.#secrets.credential(alias)), auth_mechanism: 'GSSAPI' };
    }
    const credential = await this.#secrets.credential(alias);
    const field = mechanism === 'TOKEN' ? 'token' : 'password';
    if (credential[field] !== undefined) return { ...definition, ...credential };
    throw new SpecError(
      `cluster ${alias} has auth_mechanism ${mechanism}, and no ${field} was pushed`,
      'hdfs-fanout clusters push FILE',
    );
  }

  /** Gets, renews and cancels tokens of a Kerberos cluster. @throws SpecError */
  tokenClient(alias: string): Promise<TokenClient> {
    return this.#clients.of(alias, () => this.#login(alias));
  }

  async #login(alias: string): Promise<TokenClient> {
    const connection = connect(await this.clusterOf(alias), this.#log);
    this.#connections.push(connection);
    return new TokenClient(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clients.settled();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }
}
