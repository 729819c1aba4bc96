import type { WriteOptions, Writing } from '../storage/storage.ts';
import { StorageError } from '../storage/errors.ts';
import type { LayoutLimits } from './layout-limits.ts';
import { remoteErrorOf } from './remote-exception.ts';
import { retryAfterMs } from './retry-after.ts';
import { ReplayedBody } from './replayed-body.ts';
import type { NamenodeRest, Parameters } from './rest.ts';
import type { TwoStep } from './two-step.ts';

/** Writes new files with CREATE. */
export class Writer {
  readonly #rest: NamenodeRest;
  readonly #twoStep: TwoStep;
  readonly #limits: LayoutLimits;
  readonly #requireParent: (path: string, signal: AbortSignal) => Promise<void>;

  /** @param requireParent  finds out whether a file's directory stands, where the server would make it */
  constructor(
    rest: NamenodeRest,
    twoStep: TwoStep,
    limits: LayoutLimits,
    requireParent: (path: string, signal: AbortSignal) => Promise<void>,
  ) {
    this.#rest = rest;
    this.#twoStep = twoStep;
    this.#limits = limits;
    this.#requireParent = requireParent;
  }

  /** A layout that the cluster refuses is left to the cluster, which costs a request and no byte of the body. */
  async write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<Writing> {
    const cluster = this.#rest.keyOf(path);
    const { refused, ...layout } = this.#limits.within(cluster, options);
    if (options.strictLayout && refused[0]) throw refused[0].error;
    const told = refused.length > 0 ? { refused } : {};
    if (!this.#limits.isOpen(cluster, layout)) {
      return { ...(await this.#create(path, body, { ...options, ...layout }, signal)), ...told };
    }
    const replayed = new ReplayedBody(body);
    try {
      const written = await this.#create(path, replayed.body(), { ...options, ...layout }, signal, true);
      this.#limits.noteTaken(cluster, layout);
      return { ...written, ...told };
    } catch (error) {
      // The source's own refusal ends the upload, too.
      if (!(error instanceof StorageError) || error.where?.operation !== 'CREATE') throw error;
      if (!this.#limits.learn(cluster, error, layout)) throw error;
      if (options.strictLayout) throw error;
      // Too much of it is gone: the next try knows better.
      if (!replayed.isWhole) throw again(error, path);
    }
    return this.write(path, replayed.body(), options, signal);
  }

  async #create(
    path: string,
    body: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    signal: AbortSignal,
    patient = false,
  ): Promise<Pick<Writing, 'near'>> {
    if (options.parentStands) await this.#requireParent(path, signal);
    const parameters = {
      ...(options.parentStands ? { createparent: false } : {}),
      overwrite: options.overwrite,
      blocksize: options.blockBytes,
      replication: options.replication,
      // HttpFS would make files executable.
      ...modeOf(options.permission, '644', '666'),
    };
    // The first step only asks for a datanode and changes nothing, so it may be sent again.
    const { location, text } = await this.#twoStep.begin(path, signal, (elsewhere) =>
      this.#rest.call('PUT', 'CREATE', path, { ...parameters, ...elsewhere }, signal),
    );
    if (location === undefined) throw remoteErrorOf(200, text, { operation: 'CREATE', path });
    return this.#twoStep.follow(location, { operation: 'CREATE', path }, async ({ url, where, headers, near }) => {
      if (near) options.onNear?.(near);
      // Only datanodes give the interim answer that a patient upload waits for, and they keep no connection.
      const { lengthBytes } = options;
      const how = { headers, isKept: near === undefined, isPatient: patient && near !== undefined };
      const answer = await this.#rest.http.upload({ method: 'PUT', url, body, lengthBytes, ...how }, where, signal);
      const { status, text, headers: told } = answer;
      if (status !== 201) throw remoteErrorOf(status, text, where, retryAfterMs(told['retry-after'], told.date));
      return { near };
    });
  }
}

/** The mode of something new: as told, or what `hdfs dfs` gives under its default umask, in which a default ACL has its say. */
export function modeOf(permission: string | undefined, masked: string, unmasked: string): Parameters {
  return permission === undefined ? { permission: masked, unmaskedpermission: unmasked } : { permission };
}

function again({ code, exception, reason, where }: StorageError, path: string): StorageError {
  return new StorageError(code, exception, '', where ?? { operation: 'CREATE', path }, {
    reason,
    disposition: 'retry',
  });
}
