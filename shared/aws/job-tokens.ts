import { randomBytes } from 'node:crypto';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { HeldToken } from '../hdfs/delegation-tokens.ts';
import { tableKeys } from '../names.ts';
import { activeKey } from './active-jobs.ts';

/** Where the credentials of jobs are kept: in items of a table, encrypted under a key. */
export interface TokenVault {
  readonly kms: KMSClient;
  readonly key: string;
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly retentionDays: number;
}

/** A credential that the user gave for a cluster. Copiers use it; only the user cancels it. */
export interface GivenCredential {
  readonly token?: string;
  readonly password?: string;
}

/** A delegation token that was got for a job, as it lies in the job store. */
export interface KeptToken {
  readonly cluster: string;
  readonly nameservice: string;
  readonly gotAtMs: number;
  readonly renewedUntilMs: number;
  readonly sk: string;
  readonly token: Uint8Array;
}

const GIVEN = 'TOKEN#';
const HELD = 'HELD#';

/**
 * The credentials of jobs, from before their first copy until their end. Each is encrypted under the KMS key with job and cluster as
 * its context: it cannot be read without the key's permission, nor passed off as that of another job.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export class JobTokens {
  readonly #vault: TokenVault;

  constructor(vault: TokenVault) {
    this.#vault = vault;
  }

  async give(job: string, cluster: string, credential: GivenCredential): Promise<void> {
    const { client, table } = this.#vault;
    const token = await this.#encrypt(job, cluster, JSON.stringify(credential));
    const Item = { ...keyOf(job, `${GIVEN}${cluster}`), token, ...this.#expiry() };
    await client.send(new PutCommand({ TableName: table, Item }));
  }

  /** What the user gave for a cluster; undefined for one without credentials. */
  async given(job: string, cluster: string): Promise<GivenCredential | undefined> {
    const { client, table } = this.#vault;
    const Key = keyOf(job, `${GIVEN}${cluster}`);
    const { Item } = await client.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    if (!Item) return undefined;
    return JSON.parse(await this.#decrypt(job, cluster, Item['token'] as Uint8Array)) as GivenCredential;
  }

  /** Keeps a token that was got for a job. @returns false when the job has ended meanwhile: nobody would cancel the token then */
  async keep(
    job: string,
    cluster: string,
    { nameservice, token, renewedUntilMs }: HeldToken,
    gotAtMs = Date.now(),
  ): Promise<boolean> {
    const { client, table: TableName } = this.#vault;
    const Item = {
      ...keyOf(job, `${HELD}${cluster}#${randomBytes(8).toString('hex')}`),
      cluster,
      nameservice,
      gotAtMs,
      renewedUntilMs,
      token: await this.#encrypt(job, cluster, token),
      ...this.#expiry(),
    };
    const isActive = { TableName, Key: activeKey(job), ConditionExpression: 'attribute_exists(pk)' };
    try {
      await client.send(
        new TransactWriteCommand({ TransactItems: [{ ConditionCheck: isActive }, { Put: { TableName, Item } }] }),
      );
      return true;
    } catch (error) {
      if (conditionFailed(error)) return false;
      throw error;
    }
  }

  /** All tokens that are kept for a job, the oldest first, also those that were replaced. */
  async kept(job: string, cluster?: string): Promise<KeptToken[]> {
    const prefix = cluster === undefined ? HELD : `${HELD}${cluster}#`;
    const tokens = (await this.#items(job, prefix)) as unknown as KeptToken[];
    return tokens.sort((one, other) => one.gotAtMs - other.gotAtMs);
  }

  /** The tokens that are in use, the newest of each nameservice. */
  async held(job: string, cluster: string): Promise<HeldToken[]> {
    return Promise.all(newest(await this.kept(job, cluster)).map((kept) => this.reveal(job, kept)));
  }

  async reveal(job: string, { cluster, nameservice, renewedUntilMs, token }: KeptToken): Promise<HeldToken> {
    return { nameservice, renewedUntilMs, token: await this.#decrypt(job, cluster, token) };
  }

  /** Notes until when a renewed token lives. A token that was forgotten meanwhile does not come back. */
  async setRenewedUntil(job: string, { sk }: KeptToken, renewedUntilMs: number): Promise<void> {
    const { client, table } = this.#vault;
    const update = new UpdateCommand({
      TableName: table,
      Key: keyOf(job, sk),
      UpdateExpression: 'SET renewedUntilMs = :until',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':until': renewedUntilMs },
    });
    await client.send(update).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
    });
  }

  /** Deletes every credential of a job. */
  async forget(job: string): Promise<void> {
    const { client, table } = this.#vault;
    const items = [...(await this.#items(job, GIVEN)), ...(await this.#items(job, HELD))];
    for (const { sk } of items) {
      await client.send(new DeleteCommand({ TableName: table, Key: keyOf(job, String(sk)) }));
    }
  }

  async #items(job: string, prefix: string): Promise<Record<string, unknown>[]> {
    const { client, table } = this.#vault;
    // A job has as many tokens as its clusters have nameservices, and again as many for each of their maximum lifetimes.
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': keyOf(job, '').pk, ':prefix': prefix },
        ConsistentRead: true,
      }),
    );
    return Items;
  }

  async #encrypt(job: string, cluster: string, text: string): Promise<Uint8Array | undefined> {
    const { kms, key } = this.#vault;
    const EncryptionContext = { job, cluster };
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: key, Plaintext: Buffer.from(text), EncryptionContext }),
    );
    return CiphertextBlob;
  }

  async #decrypt(job: string, cluster: string, CiphertextBlob: Uint8Array): Promise<string> {
    const { kms, key } = this.#vault;
    const EncryptionContext = { job, cluster };
    const { Plaintext } = await kms.send(new DecryptCommand({ KeyId: key, CiphertextBlob, EncryptionContext }));
    return Buffer.from(Plaintext ?? []).toString();
  }

  #expiry(): Record<string, number> {
    return { [tableKeys.expires]: Math.floor(Date.now() / 1000) + this.#vault.retentionDays * 86_400 };
  }
}

/** The newest token of each nameservice. @param kept  the oldest first */
export function newest(kept: readonly KeptToken[]): KeptToken[] {
  return [...new Map(kept.map((token) => [`${token.cluster}#${token.nameservice}`, token])).values()];
}

function conditionFailed(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  return (error.CancellationReasons ?? []).some(({ Code }) => Code === 'ConditionalCheckFailed');
}

function keyOf(job: string, sk: string): { pk: string; sk: string } {
  return { pk: `JOB#${job}`, sk };
}
