import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { tableKeys } from '../names.ts';

/** What the tokens of a job are kept with. */
export interface TokenPlace {
  readonly kms: KMSClient;
  readonly key: string;
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly retentionDays: number;
}

/**
 * The delegation tokens of jobs, one a cluster. Each is encrypted under the KMS key with job and cluster as its context: it
 * cannot be read without the key's permission, nor passed off as that of another job.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export class JobTokens {
  readonly #place: TokenPlace;

  constructor(place: TokenPlace) {
    this.#place = place;
  }

  async put(job: string, cluster: string, token: string): Promise<void> {
    const { kms, key, client, table, retentionDays } = this.#place;
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: key, Plaintext: Buffer.from(token), EncryptionContext: { job, cluster } }),
    );
    const expires = Math.floor(Date.now() / 1000) + retentionDays * 86_400;
    const Item = { ...keyOf(job, cluster), token: CiphertextBlob, [tableKeys.expires]: expires };
    await client.send(new PutCommand({ TableName: table, Item }));
  }

  /** Undefined for a cluster without a token. */
  async get(job: string, cluster: string): Promise<string | undefined> {
    const { kms, key, client, table } = this.#place;
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key: keyOf(job, cluster), ConsistentRead: true }),
    );
    if (!Item) return undefined;
    const { Plaintext } = await kms.send(
      new DecryptCommand({
        KeyId: key,
        CiphertextBlob: Item['token'] as Uint8Array,
        EncryptionContext: { job, cluster },
      }),
    );
    return Buffer.from(Plaintext ?? []).toString();
  }
}

function keyOf(job: string, cluster: string): { pk: string; sk: string } {
  return { pk: `JOB#${job}`, sk: `TOKEN#${cluster}` };
}
