import type { Quotas, QuotaUsage } from '../storage/capabilities.ts';
import { hasCode, type StorageError } from '../storage/errors.ts';
import { isUnknownOperation, OptionalOperations } from './optional-operations.ts';
import type { NamenodeRest, Parameters } from './rest.ts';

/** @see org.apache.hadoop.hdfs.web.JsonUtil#toJsonMap(QuotaUsage), which a ContentSummary begins like */
interface JsonUsage {
  readonly fileAndDirectoryCount?: number;
  /** Of a ContentSummary. */
  readonly fileCount?: number;
  readonly directoryCount?: number;
  readonly spaceConsumed: number;
  readonly quota: number;
  readonly spaceQuota: number;
  readonly typeQuota?: Readonly<Record<string, { readonly quota: number; readonly consumed: number }>>;
}

/**
 * Quotas of directories over WebHDFS. HttpFS sets none, and a namenode lets none but a superuser: the first refusal stands for all.
 */
export class RemoteQuotas {
  readonly #rest: NamenodeRest;
  readonly #optional = new OptionalOperations();

  constructor(rest: NamenodeRest) {
    this.#rest = rest;
  }

  /** By GETQUOTAUSAGE, and by GETCONTENTSUMMARY where the server is older than that. */
  async usage(directory: string, signal: AbortSignal): Promise<QuotaUsage> {
    const key = `usage ${this.#rest.keyOf(directory)}`;
    const short = await this.#optional.run(key, () =>
      this.#rest.json<{ QuotaUsage: JsonUsage }>('GET', 'GETQUOTAUSAGE', directory, {}, signal),
    );
    if (short) return usageOf(short.QuotaUsage);
    const { ContentSummary: summary } = await this.#rest.json<{ ContentSummary: JsonUsage }>(
      'GET',
      'GETCONTENTSUMMARY',
      directory,
      {},
      signal,
    );
    return usageOf(summary);
  }

  /** @throws StorageError unsupported; denied to all but superusers */
  async set(directory: string, quotas: Quotas, signal: AbortSignal): Promise<void> {
    const { names, bytes, ...types } = Object.fromEntries(quotas) as Record<string, number | undefined>;
    const both = { namespacequota: names, storagespacequota: bytes };
    if (names !== undefined || bytes !== undefined) await this.#put('SETQUOTA', directory, both, signal);
    for (const [storagetype, storagespacequota] of Object.entries(types))
      await this.#put('SETQUOTABYSTORAGETYPE', directory, { storagetype, storagespacequota }, signal);
  }

  async #put(operation: string, directory: string, parameters: Parameters, signal: AbortSignal): Promise<void> {
    const ask = () => this.#rest.call('PUT', operation, directory, parameters, signal);
    await this.#optional.insist(`${operation} ${this.#rest.keyOf(directory)}`, ask, isNeverAllowed);
  }
}

/** @see FSNamesystem.setQuota: checkSuperuserPrivilege, before it looks at the path */
function isNeverAllowed(error: StorageError): boolean {
  return isUnknownOperation(error) || (hasCode(error, 'denied') && /[Ss]uper ?user/.test(error.reason));
}

function usageOf(usage: JsonUsage): QuotaUsage {
  const { fileAndDirectoryCount, fileCount = 0, directoryCount = 0, spaceConsumed, typeQuota = {} } = usage;
  const types = Object.entries(typeQuota);
  const quotas = [
    ['names', usage.quota] as const,
    ['bytes', usage.spaceQuota] as const,
    ...types.map(([type, { quota }]) => [type, quota] as const),
  ];
  const used = [
    ['names', fileAndDirectoryCount ?? fileCount + directoryCount] as const,
    ['bytes', spaceConsumed] as const,
    ...types.map(([type, { consumed }]) => [type, consumed] as const),
  ];
  // -1: none. The root has a quota of Long.MAX_VALUE names from the beginning.
  return {
    quotas: new Map(quotas.filter(([, quota]) => quota >= 0 && Number.isSafeInteger(quota))),
    used: new Map(used),
  };
}
