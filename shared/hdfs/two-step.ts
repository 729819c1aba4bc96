import { FanoutError, TransportError, type Where } from '../errors.ts';
import { hasCode, StorageError } from '../storage/errors.ts';
import type { Log } from '../log.ts';
import { AvoidedDatanodes } from './datanode/avoided.ts';
import { Datanode } from './datanode/datanode.ts';
import { TransferAddresses } from './datanode/transfer-addresses.ts';
import type { Headers } from './http.ts';
import { splitUrl } from './urls.ts';
import { codeOf } from './transport-error.ts';
import { unaddressable } from './misdirected.ts';
import { redirectOf } from './redirect.ts';
import { isFromGateway } from './remote-exception.ts';
import type { NamenodeRest, Parameters } from './rest.ts';

/** Where the second step of an operation goes, and what it is sent there. */
export interface Target {
  readonly url: string;
  readonly where: Where;
  readonly headers: Headers;
  /** Undefined when it is the server itself. */
  readonly near: Datanode | undefined;
}

/** Operations that a server redirects: the second step of OPEN, CREATE and GETFILECHECKSUM is at a datanode, or at the server itself. */
export class TwoStep {
  readonly avoided: AvoidedDatanodes;
  readonly #rest: NamenodeRest;
  readonly #addresses: TransferAddresses;

  constructor(rest: NamenodeRest, log: Log) {
    this.#rest = rest;
    this.avoided = new AvoidedDatanodes(rest.cluster.name, log);
    this.#addresses = new TransferAddresses(rest.http, log);
  }

  /**
   * The first step of OPEN and CREATE. A namenode is asked for a datanode that is not avoided; where it finds none, or cannot leave any out,
   * any will do.
   * @param ask  with the parameters of that, or with none
   */
  async begin<T>(path: string, signal: AbortSignal, ask: (parameters: Parameters) => Promise<T>): Promise<T> {
    const { hosts } = this.avoided;
    const nameservice = this.#rest.nameservice(path);
    if (hosts.length === 0 || !nameservice.hasDatanodes) return ask({});
    const addresses = await this.#addresses.of(hosts, nameservice);
    if (addresses.length === 0) return ask({});
    try {
      return await ask({ excludedatanodes: addresses.join() });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FanoutError) || isFinal(error)) throw error;
      return ask({});
    }
  }

  /**
   * @param location  where the server redirected to
   * @param asked  what the server was asked
   */
  follow<T>(location: string, asked: Where, step: (target: Target) => Promise<T>): Promise<T> {
    const nameservice = this.#rest.nameservice(asked.path);
    const { url, base } = redirectOf(location, nameservice, asked);
    const datanode = new Datanode(url, asked);
    const where = { ...asked, host: datanode.host };
    if (base !== undefined) {
      return this.#rest
        .followed(nameservice, base, where, (headers) => step({ url, where, headers, near: undefined }))
        .catch(throwPlainly);
    }
    nameservice.hasDatanodes = true;
    return this.#atDatanode(asked.path, where, () => step({ url, where, headers: {}, near: datanode })).catch(
      throwPlainly,
    );
  }

  /**
   * The second step of a redirected operation. A standby namenode redirects uploads and only the datanode finds out; and when
   * a datanode cannot be reached the error says that the namenode could.
   */
  async #atDatanode<T>(path: string, where: Where, step: () => Promise<T>): Promise<T> {
    const nameservice = this.#rest.nameservice(path);
    const namenode = nameservice.url;
    try {
      return await step();
    } catch (error) {
      // A source that breaks off also ends the upload: its error is its own.
      if (!(error instanceof FanoutError) || error.where !== where) throw error;
      if (hasCode(error, 'standby')) nameservice.failOver(namenode);
      if (hasCode(error, 'busy')) this.#rest.load.noteBusy();
      // The token of the redirect ran out or was replaced meanwhile: the namenode knows, when it is asked again.
      if (error instanceof StorageError && hasCode(error, 'token', 'unauthenticated')) {
        throw new StorageError(error.code, error.exception, error.reason, where, { disposition: 'retry' });
      }
      if (!(error instanceof TransportError)) throw error;
      const unresolved = codeOf(error.cause) === 'ENOTFOUND';
      // A certificate that one datanode cannot use is no reason to stop: another one may have the file as well.
      const closed = codeOf(error.cause) === 'UND_ERR_DESTROYED';
      // A connection that was made for a checksum ahead of time may have waited too long.
      if (!closed && where.operation !== 'GETFILECHECKSUM') this.avoided.note(where.host ?? '', error.reason);
      throw new TransportError(
        `the datanode could not be used: ${error.reason}; the namenode ${splitUrl(namenode).host} works`,
        where,
        {
          cause: error.cause,
          disposition: closed ? 'fail-job' : 'retry',
          remedy: unresolved
            ? `make the name ${where.host?.replace(/:\d+$/, '') ?? ''} resolve on this machine, or name its address in datanode_addresses`
            : (error.remedy ?? 'check that this machine reaches the datanode'),
        },
      );
    }
  }
}

/** Whether a server refused in its own words, and for another reason than the datanodes that it was to leave out. */
function isFinal(error: FanoutError): boolean {
  if (error.disposition !== 'fail-unit' || isFromGateway(error)) return false;
  return !hasCode(error, 'invalid', 'unsupported');
}

/** A datanode takes request lines of up to 4,096 bytes, and says no more than that it cannot read longer ones. */
function throwPlainly(error: unknown): never {
  throw unaddressable(error) ?? error;
}
