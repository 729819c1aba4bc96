import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ClusterSecrets } from '../shared/names.ts';
import { allow } from './rights.ts';

/** A cluster's secrets. Each is made, empty, unless it is named: `hdfs-fanout clusters push` fills them. */
export interface ClusterProps {
  /** Name or ARN of a secret with the cluster's definition: addresses and authentication, no credential. */
  readonly definition?: string;
  /** Name or ARN of a secret with its credential. */
  readonly credential?: string;
  /** ARN of the KMS key of named secrets, when it is not the account's `aws/secretsmanager`. */
  readonly keyArn?: string;
  /** Whether the cluster is logged in to with Kerberos: auth_mechanism GSSAPI or TKN_GSSAPI. Default: false. */
  readonly kerberos?: boolean;
}

/** Lambda takes 4 KB of environment in all: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const CLUSTERS_LENGTH = 3000;

/**
 * The clusters that jobs may name, each with two secrets: copiers read definitions, only those that log in read credentials. A
 * cluster that is not here cannot be reached by any job.
 */
export class Clusters extends Construct {
  /** For Lambdas and command line, as JSON: alias → its secrets. */
  readonly json: string;
  readonly aliases: readonly string[];
  /** Whether any cluster is logged in to with Kerberos. */
  readonly useKerberos: boolean;
  readonly #definitions: string[] = [];
  readonly #credentials: string[] = [];
  readonly #kerberosCredentials: string[] = [];
  readonly #keys = new Set<string>();

  constructor(scope: Construct, id: string, key: kms.IKey, clusters: Readonly<Record<string, ClusterProps>>) {
    super(scope, id);
    const secrets: Record<string, ClusterSecrets> = {};
    for (const [alias, { definition, credential, keyArn, kerberos = false }] of Object.entries(clusters)) {
      if (!/^[A-Za-z0-9][\w.-]*$/.test(alias) || alias === 'local') {
        throw new Error(`clusters.${alias}: an alias is made of letters, digits, "_", "." and "-", and is not "local"`);
      }
      const before = this.#credentials.length;
      secrets[alias] = {
        definition: this.#secret('clusters', alias, definition, key, this.#definitions),
        credential: this.#secret('credentials', alias, credential, key, this.#credentials),
        ...(kerberos ? { kerberos } : {}),
      };
      if (kerberos) this.#kerberosCredentials.push(...this.#credentials.slice(before));
      if (keyArn !== undefined) this.#keys.add(keyArn);
    }
    this.aliases = Object.keys(secrets);
    this.useKerberos = this.#kerberosCredentials.length > 0;
    this.json = JSON.stringify(secrets);
    if (this.json.length > CLUSTERS_LENGTH) {
      throw new Error(
        `clusters: ${this.aliases.length} are more than a Lambda's environment holds; make two deployments`,
      );
    }
  }

  allowDefinitions(role: iam.Role): void {
    this.#allow(role, this.#definitions);
  }

  allowCredentials(role: iam.Role): void {
    this.#allow(role, this.#credentials);
  }

  /** Lets a role read the credentials of clusters with Kerberos, and no others. */
  allowKerberosCredentials(role: iam.Role): void {
    if (this.useKerberos) this.#allow(role, this.#kerberosCredentials);
  }

  #allow(role: iam.Role, resources: readonly string[]): void {
    allow(role, { actions: ['secretsmanager:GetSecretValue'], resources });
    if (this.#keys.size === 0) return;
    const viaSecretsManager = `secretsmanager.${Stack.of(this).region}.amazonaws.com`;
    allow(role, {
      actions: ['kms:Decrypt'],
      resources: [...this.#keys],
      conditions: { StringEquals: { 'kms:ViaService': viaSecretsManager } },
    });
  }

  /** @returns the secret's name or ARN; adds to `arns` what a policy says for it */
  #secret(kind: string, alias: string, given: string | undefined, key: kms.IKey, arns: string[]): string {
    if (given !== undefined) {
      arns.push(...this.#arnsOf(given));
      return given;
    }
    const secretName = `hdfs-fanout/${Stack.of(this).stackName}/${kind}/${alias}`;
    const secret = new secretsmanager.Secret(this, `${kind}-${alias}`, {
      secretName,
      description: `hdfs-fanout: filled by hdfs-fanout clusters push for ${alias}`,
      encryptionKey: key,
      // A secret cannot be made empty. Letters and digits begin no JSON object: so one that nobody has filled is recognised.
      generateSecretString: { excludePunctuation: true },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Tokens and keytabs come from the cluster, which rotates nothing here: hdfs-fanout clusters push puts a new one',
    });
    arns.push(secret.secretArn);
    this.#keys.add(key.keyArn);
    return secretName;
  }

  /** Secrets Manager adds six characters to a name: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html */
  #arnsOf(nameOrArn: string): string[] {
    if (Token.isUnresolved(nameOrArn)) return [nameOrArn];
    if (nameOrArn.startsWith('arn:')) return [nameOrArn, `${nameOrArn}-??????`];
    const service = { service: 'secretsmanager', resource: 'secret', arnFormat: ArnFormat.COLON_RESOURCE_NAME };
    return [Stack.of(this).formatArn({ ...service, resourceName: `${nameOrArn}-??????` })];
  }
}
