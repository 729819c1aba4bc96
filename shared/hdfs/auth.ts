import { userInfo } from 'node:os';
import { type FanoutError, SpecError, TransportError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import type { Nameservice } from './nameservice.ts';
import { StorageError } from '../storage/errors.ts';

/** What authenticates a request to a namenode, HttpFS or gateway. A datanode gets what its redirect carries, nothing more. */
export interface Credentials {
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How a cluster is told who asks. Every method may be called many times at once; credentials are got once and shared.
 * @see Hadoop WebHDFS.md, "Authentication"
 */
export interface Authentication {
  /** @param base  the nameservice's address that is about to be asked. @throws FanoutError when no credentials can be had */
  credentials(nameservice: Nameservice, base: string): Promise<Credentials>;
  /** Is told of credentials that a server did not take. @returns whether there are others now, so that a second try is worth it */
  refused(refusal: Refusal): Promise<boolean>;
  /** Cancels the tokens that were got from the cluster. */
  close(): Promise<void>;
}

/** A server did not take credentials. */
export interface Refusal {
  readonly nameservice: Nameservice;
  /** The address that was asked. */
  readonly base: string;
  readonly used: Credentials;
  /** Whether it was a token that the server did not take. */
  readonly code: 'token' | 'unauthenticated';
}

/** The same credentials each time: user.name, a token that the user gave, or a password. */
export class FixedAuthentication implements Authentication {
  readonly #credentials: Promise<Credentials>;

  constructor(cluster: Cluster) {
    this.#credentials = Promise.resolve(fixedCredentials(cluster));
  }

  credentials(): Promise<Credentials> {
    return this.#credentials;
  }

  refused(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async close(): Promise<void> {
    // A token that the user gave is the user's to cancel.
  }
}

function fixedCredentials(cluster: Cluster): Credentials {
  const { auth_mechanism: mechanism, user, password, token } = cluster;
  switch (mechanism) {
    case 'TOKEN':
      // A secure cluster knows the user from the token; an insecure one that hands out tokens wants the name as well.
      return {
        parameters: {
          delegation: token ?? '',
          ...(user === undefined ? {} : { 'user.name': user }),
          ...asUser(cluster),
        },
        headers: {},
      };
    case 'BASIC': {
      const pair = Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64');
      return { parameters: asUser(cluster), headers: { authorization: `Basic ${pair}` } };
    }
    default:
      return { parameters: { 'user.name': userOf(cluster), ...asUser(cluster) }, headers: {} };
  }
}

/**
 * The user's name for a cluster that wants no proof: the definition's, `$HADOOP_USER_NAME`, or that of this process's user.
 * @throws SpecError where no one is named: a container may run under a number alone
 * @see Hadoop UserGroupInformation (HADOOP_USER_NAME)
 */
export function userOf({ name, user }: Pick<Cluster, 'name' | 'user'>, environment = process.env): string {
  const named = user ?? environment['HADOOP_USER_NAME'];
  if (named) return named;
  try {
    return userInfo().username;
  } catch (error) {
    throw new SpecError(
      `cluster ${name}: nothing says who asks, and user id ${process.getuid?.() ?? '?'} has no name here`,
      "name a user in the cluster's definition, or set $HADOOP_USER_NAME",
      error,
    );
  }
}

/** The parameter by which a proxy user acts as another. */
export function asUser({ doas }: Cluster): Readonly<Record<string, string>> {
  return doas === undefined ? {} : { doas };
}

const remedies: Record<Cluster['auth_mechanism'], string> = {
  NONE: 'the cluster wants to know who asks: set its auth_mechanism to TKN_GSSAPI, GSSAPI, TOKEN or BASIC',
  BASIC: 'check its user and password',
  TOKEN: 'put a valid token into the cluster configuration and resume',
  GSSAPI: 'check its principal, and the rules by which the cluster makes users of principals',
  TKN_GSSAPI: 'check its principal, and the rules by which the cluster makes users of principals',
};

/** Says of an error that ends the job which cluster it is about, and what to do. Other errors are returned as they are. */
export function explained({ name, auth_mechanism: mechanism }: Cluster, error: FanoutError): FanoutError {
  const { reason, where = { operation: 'request', path: '/' }, remedy, cause, disposition } = error;
  if (error instanceof StorageError && (error.code === 'token' || error.code === 'unauthenticated')) {
    return new StorageError(error.code, error.exception, reason, where, {
      reason: `cluster ${name} does not accept the credentials: ${reason}`,
      remedy: remedies[mechanism],
    });
  }
  if (!(error instanceof TransportError) || disposition !== 'fail-job') return error;
  const told = `cluster ${name} cannot be used: ${reason}`;
  return new TransportError(told, where, { ...(remedy === undefined ? {} : { remedy }), cause, disposition });
}
