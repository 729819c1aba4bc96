import { aclSpec, type AclStatus } from '../storage/acl.ts';
import type {
  FileLayout,
  HadoopAttributes,
  OwnerRefusal,
  PosixAttributes,
  Quotas,
  QuotaUsage,
  TakenLayout,
} from '../storage/capabilities.ts';
import type { LayoutLimits } from './layout-limits.ts';
import { OptionalOperations } from './optional-operations.ts';
import { RemoteQuotas } from './quotas.ts';
import type { NamenodeRest, Parameters } from './rest.ts';
import { hasCode, StorageError } from '../storage/errors.ts';

/**
 * Owner, mode, times, replication, ACL, extended attributes, policies and quotas over WebHDFS. What a nameservice, or this user there, refuses for
 * good is asked for once: ACLs and extended attributes that are switched off, another owner than oneself, a group that one is not in.
 */
export class RemoteAttributes implements HadoopAttributes, PosixAttributes {
  readonly #rest: NamenodeRest;
  readonly #limits: LayoutLimits;
  readonly #optional = new OptionalOperations();
  /** By nameservice: the user that files are made as, once a namenode has refused to give one to another. */
  readonly #actors = new Map<string, string>();
  readonly #quotas: RemoteQuotas;

  constructor(rest: NamenodeRest, limits: LayoutLimits) {
    this.#rest = rest;
    this.#limits = limits;
    this.#quotas = new RemoteQuotas(rest);
  }

  /** @param value  the owner: to the user that files are made as they may always be given */
  async knownRefusal(
    path: string,
    attribute: 'owner' | 'acl' | 'xattr',
    value?: string,
  ): Promise<StorageError | undefined> {
    const key = this.#key(attribute, path);
    if (attribute === 'owner' && value !== undefined && value === this.#actors.get(key)) return undefined;
    return this.#optional.refusal(key);
  }

  async setPermission(path: string, permission: string, signal: AbortSignal): Promise<void> {
    await this.#put('SETPERMISSION', path, { permission }, signal);
  }

  takenLayout(path: string, layout: FileLayout): TakenLayout {
    return this.#limits.within(this.#rest.keyOf(path), layout);
  }

  async setReplication(path: string, replication: number, signal: AbortSignal): Promise<void> {
    const layout = { replication, blockBytes: undefined };
    const { refused } = this.takenLayout(path, layout);
    if (refused[0]) throw refused[0].error;
    try {
      await this.#put('SETREPLICATION', path, { replication }, signal);
    } catch (error) {
      if (error instanceof StorageError) this.#limits.learn(this.#rest.keyOf(path), error, layout);
      throw error;
    }
  }

  /** @see Hadoop FSDirAttrOp.setOwner: checks the path's owner, then the new owner, then the group */
  async setOwner(
    path: string,
    owner: string | undefined,
    group: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly OwnerRefusal[]> {
    const refused: OwnerRefusal[] = [];
    const [ownerKey, groupKey] = [this.#key('owner', path), this.#key(`group ${group ?? ''}`, path)];
    let wanted = owner;
    if (owner !== undefined && owner !== this.#actors.get(ownerKey)) {
      const error = await this.#refused(
        ownerKey,
        () => this.#put('SETOWNER', path, { owner, group }, signal),
        isNoSuperuser,
      ).catch(noMember);
      if (!error) return refused;
      const [, actor] = /User (\S+) (?:is not a super ?user|does not belong to)/.exec(error.reason) ?? [];
      if (actor !== undefined) this.#actors.set(ownerKey, actor);
      // The owner is looked at first: where the group was refused, the owner was not.
      if (!isNoMember(error)) refused.push({ attribute: 'owner', error });
      wanted = undefined;
    }
    if (group === undefined && wanted === undefined) return refused;
    const error = await this.#refused(
      groupKey,
      () => this.#put('SETOWNER', path, { owner: wanted, group }, signal),
      isNoMember,
    );
    // A group that the path has already may be refused too.
    if (error && (await this.#groupOf(path, signal)) !== group) refused.push({ attribute: 'group', error });
    return refused;
  }

  async setTimes(
    path: string,
    modifiedAtMs: number,
    accessedAtMs: number | undefined,
    signal: AbortSignal,
  ): Promise<StorageError | undefined> {
    if (modifiedAtMs < 0) {
      const where = { operation: 'SETTIMES', path };
      throw new StorageError('invalid', 'not set', 'HDFS takes no time before 1970', where);
    }
    const set = (accesstime: number) =>
      this.#put('SETTIMES', path, { modificationtime: modifiedAtMs, accesstime }, signal);
    if (accessedAtMs !== undefined && accessedAtMs >= 0) {
      // With dfs.namenode.accesstime.precision=0 some releases refuse both times for the sake of one.
      const refusal = await this.#refused(this.#key('access time', path), () => set(accessedAtMs), isAccessTime);
      if (!refusal) return undefined;
      await set(-1);
      return refusal;
    }
    await set(-1);
    return undefined;
  }

  async acl(path: string, signal: AbortSignal): Promise<string | undefined> {
    const ask = () => this.#rest.json<{ AclStatus: AclStatus }>('GET', 'GETACLSTATUS', path, {}, signal);
    return aclSpec((await this.#optional.insist(this.#key('acl', path), ask)).AclStatus);
  }

  async setAcl(path: string, acl: string, signal: AbortSignal): Promise<void> {
    const ask = () => this.#put('SETACL', path, { aclspec: acl }, signal);
    await this.#optional.insist(this.#key('acl', path), ask);
  }

  async removeDefaultAcl(path: string, signal: AbortSignal): Promise<void> {
    await this.#optional.insist(this.#key('acl', path), () => this.#put('REMOVEDEFAULTACL', path, {}, signal));
  }

  async xattrs(path: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    interface XAttrs {
      XAttrs: { name: string; value: string | null }[];
    }
    const ask = () => this.#rest.json<XAttrs>('GET', 'GETXATTRS', path, { encoding: 'hex' }, signal);
    const list = (await this.#optional.run(this.#key('xattr', path), ask))?.XAttrs ?? [];
    const copied = list.filter(({ name }) => /^(?:user|trusted)\./i.test(name));
    return new Map(copied.map(({ name, value }) => [name, value ?? '0x']));
  }

  async setXattr(path: string, name: string, value: string, signal: AbortSignal): Promise<void> {
    // Without a flag HttpFS fails, and the thread that served the request fails ever after.
    const parameters = { 'xattr.name': name, 'xattr.value': value, flag: 'CREATE,REPLACE' };
    await this.#optional.insist(this.#key('xattr', path), () => this.#put('SETXATTR', path, parameters, signal));
  }

  async removeXattr(path: string, name: string, signal: AbortSignal): Promise<void> {
    const ask = () => this.#put('REMOVEXATTR', path, { 'xattr.name': name }, signal);
    await this.#optional.insist(this.#key('xattr', path), ask);
  }

  async setErasureCodingPolicy(directory: string, policy: string, signal: AbortSignal): Promise<void> {
    const ask = () => this.#put('SETECPOLICY', directory, { ecpolicy: policy }, signal);
    // A policy that is not enabled is refused for every directory.
    await this.#optional.insist(this.#key(`policy ${policy}`, directory), ask, (error) => hasCode(error, 'invalid'));
  }

  async setStoragePolicy(directory: string, policy: string, signal: AbortSignal): Promise<void> {
    const ask = () => this.#put('SETSTORAGEPOLICY', directory, { storagepolicy: policy }, signal);
    await this.#optional.insist(this.#key(`storage policy ${policy}`, directory), ask, isWithoutPolicies);
  }

  quotaUsage(directory: string, signal: AbortSignal): Promise<QuotaUsage> {
    return this.#quotas.usage(directory, signal);
  }

  setQuotas(directory: string, quotas: Quotas, signal: AbortSignal): Promise<void> {
    return this.#quotas.set(directory, quotas, signal);
  }

  async #put(operation: string, path: string, parameters: Parameters, signal: AbortSignal): Promise<void> {
    await this.#rest.call('PUT', operation, path, parameters, signal);
  }

  /** Runs a request unless it was refused for good before. @returns the refusal */
  async #refused(
    key: string,
    ask: () => Promise<void>,
    isForGood: (error: StorageError) => boolean,
  ): Promise<StorageError | undefined> {
    const done = await this.#optional.run(key, async () => ask().then(() => true), isForGood);
    return done ? undefined : this.#optional.refusal(key);
  }

  async #groupOf(path: string, signal: AbortSignal): Promise<string> {
    const { FileStatus: status } = await this.#rest.json<{ FileStatus: { group: string } }>(
      'GET',
      'GETFILESTATUS',
      path,
      {},
      signal,
    );
    return status.group;
  }

  #key(what: string, path: string): string {
    return `${what} ${this.#rest.keyOf(path)}`;
  }
}

/** A cluster that does not know the policy, or has storage policies switched off (`dfs.storage.policy.enabled`). */
function isWithoutPolicies(error: StorageError): boolean {
  return hasCode(error, 'invalid', 'unsupported') || /dfs\.storage\.policy\.enabled/.test(error.reason);
}

function isNoSuperuser(error: StorageError): boolean {
  return hasCode(error, 'denied') && /[Nn]on-super ?user cannot change owner/.test(error.reason);
}

function isNoMember(error: StorageError): boolean {
  return hasCode(error, 'denied') && /^\w+: User \S+ does not belong to /.test(error.reason);
}

function noMember(error: unknown): StorageError {
  if (error instanceof StorageError && isNoMember(error)) return error;
  throw error;
}

function isAccessTime(error: StorageError): boolean {
  return /[Aa]ccess ?time/.test(error.reason);
}
