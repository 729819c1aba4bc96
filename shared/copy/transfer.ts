import { FanoutError, messageOf, SourceChangedError, TransportError } from '../errors.ts';
import { ContentDigest, striped } from '../hdfs/checksum.ts';
import type { FileStatus, FileSystem, Reading, Writing } from '../hdfs/filesystem.ts';
import { join } from '../hdfs/path.ts';
import { retry, type RetryPolicy } from '../retry.ts';
import { together } from '../together.ts';
import type { Log } from '../log.ts';
import type { Unit } from './batch.ts';
import { sameContent } from './content.ts';
import type { Claim, Job, JobStore, UnitOutcome } from './job-store.ts';
import { FileAttributes } from './file-attributes.ts';
import type { Progress } from './progress.ts';
import { isExists, promote, withdraw } from './promote.ts';
import type { Verification } from './spec.ts';
import { temporaryPath } from './temporary.ts';
import { verify } from './verify.ts';
import { attributesOf } from './attributes.ts';

/** What every transfer of a job shares. */
export interface CopyContext {
  readonly job: Job;
  readonly source: FileSystem;
  readonly destination: FileSystem;
  readonly store: JobStore;
  readonly owner: string;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Whole tries of one file, on top of those of each request: at most 12 in 180 s, waits 0.25 s to 10 s. Long enough for a
 * datanode to restart or to be dropped by the namenode.
 */
const policy: RetryPolicy = { attempts: 12, totalMs: 180_000, baseMs: 250, capMs: 10_000 };
/** For a temporary file's deletion after everything else was aborted, ms. */
const CLEANUP_MS = 10_000;
/** Tries while a datanode's name does not resolve: it seldom does a minute later. */
const UNRESOLVED_TRIES = 3;

/**
 * Copies one unit and tells how it ended. Writes to a temporary name, verifies, sets attributes, then promotes: a reader of
 * the destination sees the old file or the whole new one, never a part. Safe to run again.
 *
 * Never throws for one file.
 * @throws fail-job errors, and the signal's reason
 */
export async function transfer(
  context: CopyContext,
  batch: number,
  index: number,
  unit: Unit,
  claim: Claim,
): Promise<UnitOutcome> {
  const file = new FileTransfer(context, batch, index, unit, claim);
  try {
    return await file.run();
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof FanoutError && error.disposition === 'fail-job') throw error;
    if (!(error instanceof FanoutError)) context.log.error({ error, path: file.from }, 'unexpected error');
    return file.failed(error);
  }
}

class FileTransfer {
  readonly #context: CopyContext;
  readonly #batch: number;
  readonly #index: number;
  readonly #claim: Claim;
  readonly from: string;
  readonly #to: string;
  #unit: Unit;
  /** Whether what stands at the destination may be replaced. */
  #overwrite: boolean;
  #retries = 0;
  readonly #attributes: FileAttributes;

  constructor(context: CopyContext, batch: number, index: number, unit: Unit, claim: Claim) {
    this.#context = context;
    this.#batch = batch;
    this.#index = index;
    this.#claim = claim;
    this.#unit = unit;
    const root = context.job.roots[unit.root];
    if (!root) throw new Error(`the manifest names root ${unit.root}, and the job has ${context.job.roots.length}`);
    this.from = join(root.source, unit.path);
    this.#to = join(root.destination, unit.to ?? unit.path);
    this.#overwrite = unit.decision === 'overwrite';
    const { source, destination, job, log } = context;
    const { options } = job.spec;
    this.#attributes = new FileAttributes({ source, from: this.from, destination, to: this.#to, options, log });
  }

  async run(): Promise<UnitOutcome> {
    const { decision, reason } = this.#unit;
    if (decision === 'skip') return this.#equal(reason ?? '', undefined);
    if (decision === 'fail') return this.#refused(reason ?? '');
    const settled = await this.#settle();
    if (settled) return settled;
    return this.#copied(await this.#copyWithRetries());
  }

  /**
   * What needs no copy: an equal file at the destination, whether it stood there before or an earlier claim promoted it
   * and died before it could say so.
   */
  async #settle(): Promise<UnitOutcome | undefined> {
    const { decision, lengthBytes, replaces } = this.#unit;
    const again = this.#claim.claim > 1;
    if (decision !== 'compare' && !again) return undefined;
    const { source, destination, signal, job, progress } = this.#context;
    const { force, direct } = job.spec.options;
    const there = again ? await destination.stat(this.#to, signal) : undefined;
    if (again && !there) return undefined;
    const sameLength = !there || there.lengthBytes === lengthBytes;
    const equal =
      sameLength &&
      (await sameContent(
        { fs: source, path: this.from, lengthBytes },
        { fs: destination, path: this.#to, lengthBytes },
        signal,
      ));
    if (equal) {
      const ours = decision !== 'compare' || (there?.fileId !== undefined && there.fileId !== replaces);
      if (!(again && ours)) return this.#equal('identical content', there);
      // Written under its final name, it may have died before its attributes were set.
      if (direct) await this.#attributes.set(this.#to, this.#unit, [], signal);
      progress.bytes += lengthBytes;
      return this.#copied('checksum');
    }
    // With --direct an earlier claim left its own unfinished file under the final name.
    if (!force && !(direct && again)) return this.#refused('exists and differs');
    this.#overwrite = true;
    return undefined;
  }

  async #copyWithRetries(): Promise<Verification> {
    const { signal, store, job } = this.#context;
    let changed = false;
    let unresolved = 0;
    const again = (error: unknown) => {
      this.#context.log.warn({ path: this.from, error: messageOf(error) }, 'a try failed');
      if (error instanceof SourceChangedError && !changed) {
        changed = true;
        return 'soon';
      }
      if (!(error instanceof FanoutError) || error.disposition !== 'retry') return 'no';
      if (isUnresolved(error) && ++unresolved >= UNRESOLVED_TRIES) return 'no';
      return 'soon';
    };
    return retry(policy, signal, again, async (number) => {
      if (number > 0) {
        this.#retries += 1;
        await store.noteAttempt(job.id, this.#batch, this.#context.owner, number);
        if (changed) await this.#refresh();
      }
      return this.#attempt(number);
    });
  }

  /** Takes the source as it is now. */
  async #refresh(): Promise<void> {
    const { source, signal } = this.#context;
    const status = await source.stat(this.from, signal);
    if (!status) {
      throw new SourceChangedError('it vanished before it was copied', { operation: 'GETFILESTATUS', path: this.from });
    }
    this.#unit = refreshed(this.#unit, status);
  }

  async #attempt(number: number): Promise<Verification> {
    const { job, signal, destination, progress, store, owner } = this.#context;
    const { direct } = job.spec.options;
    const temporary = direct ? this.#to : this.#temporary(number);
    const requireOwner = () => store.requireOwner(job.id, this.#batch, owner);
    await requireOwner();
    // Under its final name a file that appeared since planning is somebody else's: neither written over nor discarded.
    if (direct && !this.#overwrite && (await destination.stat(this.#to, signal))) throw new AppearedError(this.#to);
    let streamed = 0;
    try {
      const verification = await this.#stream(temporary, (bytes) => (streamed += bytes));
      if (!direct) {
        const { lengthBytes } = this.#unit;
        const overwrite = this.#overwrite;
        await requireOwner();
        await promote({ fs: destination, temporary, target: this.#to, overwrite, lengthBytes }, policy, signal);
      }
      return verification;
    } catch (error) {
      progress.bytes -= streamed;
      if (!direct || !isExists(error)) await this.#discard(temporary, number);
      throw error;
    }
  }

  /** Streams the file and verifies what was written. */
  async #stream(temporary: string, count: (bytes: number) => void): Promise<Verification> {
    const { source, destination, job, signal } = this.#context;
    const { lengthBytes, blockBytes, modifiedAtMs, encrypted, stripe, into } = this.#unit;
    const { verify: level, direct } = job.spec.options;
    const creation = await this.#attributes.creation(this.#unit, signal);
    const [sourcePlain, writtenPlain] = await together(signal, [
      (both) => source.expectedLayout(this.from, blockBytes, both),
      (both) => destination.expectedLayout(temporary, creation.blockBytes, both),
    ]);
    const [sourceLayout, writtenLayout] = [striped(sourcePlain, stripe), striped(writtenPlain, into)];
    const digests = level === 'checksum' || level === 'read-back';
    const digest = new ContentDigest(digests ? [sourceLayout, writtenLayout] : []);
    const opening = source.read(this.from, lengthBytes, signal);
    opening.catch(() => undefined);
    const options = { ...creation, lengthBytes, overwrite: direct && this.#overwrite };
    let writing: Writing;
    try {
      const body = this.#tap(opening, digest, count);
      writing = await destination.write(temporary, body, options, signal);
    } catch (error) {
      await opening.then((reading) => reading.cancel()).catch(() => undefined);
      throw error;
    }
    const { near } = await opening;
    const verified = await verify(
      {
        source: { fs: source, path: this.from, lengthBytes, near, modifiedAtMs, encrypted: encrypted === true },
        written: { fs: destination, path: temporary, lengthBytes, near: writing.near },
        digest,
        sourceLayout,
        writtenLayout,
      },
      level,
      signal,
    );
    await this.#attributes.set(temporary, this.#unit, writing.refused ?? [], signal);
    return verified;
  }

  /** The source's body on its way to the destination: digested and counted. */
  async *#tap(
    opening: Promise<Reading>,
    digest: ContentDigest,
    count: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array> {
    const { progress } = this.#context;
    const { body } = await opening;
    for await (const chunk of body) {
      digest.update(chunk);
      count(chunk.length);
      progress.bytes += chunk.length;
      progress.moved += chunk.length;
      yield chunk;
    }
  }

  /** Takes a failed try back, also when the job was aborted. What cannot be done now is swept by name later. */
  async #discard(temporary: string, number: number): Promise<void> {
    const { destination, log, store, job, owner, signal } = this.#context;
    try {
      const remains = {
        fs: destination,
        temporary,
        target: this.#to,
        overwrite: this.#overwrite && temporary !== this.#to,
      };
      await withdraw(remains, policy, AbortSignal.timeout(CLEANUP_MS));
    } catch (error) {
      log.warn({ path: temporary, error: messageOf(error) }, 'a temporary file is left for the sweep');
      // A batch of which something was tried again is swept whole at the end, this unit too.
      if (!signal.aborted) await store.noteAttempt(job.id, this.#batch, owner, number + 1);
    }
  }

  #temporary(attempt: number): string {
    const job = this.#context.job.id;
    return temporaryPath(this.#to, { job, batch: this.#batch, unit: this.#index, claim: this.#claim.claim, attempt });
  }

  failed(error: unknown): UnitOutcome {
    const where = error instanceof FanoutError ? error.where : undefined;
    const reason =
      error instanceof FanoutError ? `${error.reason}${error.remedy ? ` (${error.remedy})` : ''}` : messageOf(error);
    return {
      ...this.#base('failed'),
      failure: { path: this.from, operation: where?.operation ?? '', host: where?.host ?? '', reason },
    };
  }

  #refused(reason: string): UnitOutcome {
    const remedy = reason.startsWith('exists') ? ' (use --force to overwrite)' : '';
    return {
      ...this.#base('failed'),
      failure: { path: this.from, operation: 'PLAN', host: '', reason: `${this.#to}: ${reason}${remedy}` },
    };
  }

  /** The bytes stay; attributes that differ are set. */
  async #equal(reason: string, there: FileStatus | undefined): Promise<UnitOutcome> {
    const told = await this.#attributes.update(this.#unit, there, this.#context.signal);
    return { ...this.#base('skipped'), reason, ...told };
  }

  #copied(verification: Verification): UnitOutcome {
    return { ...this.#base('copied'), verification, ...this.#attributes.told() };
  }

  #base(outcome: UnitOutcome['outcome']) {
    return { unit: this.#index, outcome, bytes: this.#unit.lengthBytes, retries: this.#retries };
  }
}

/** The outcome of a file that takes longer than a copier lives, though it was alone. Going on for ever would not copy it. */
export function outgrown(job: Job, index: number, unit: Unit, lastedMs: number): UnitOutcome {
  const path = join(job.roots[unit.root]?.source ?? '/', unit.path);
  const seconds = Math.round(lastedMs / 1000);
  const reason = `${unit.lengthBytes} bytes do not fit into one invocation of ${seconds} s (give the copy Lambda more time and memory, or copy it with hdfs-fanout copy)`;
  return {
    unit: index,
    outcome: 'failed',
    bytes: unit.lengthBytes,
    retries: 0,
    failure: { path, operation: 'COPY', host: '', reason },
  };
}

function refreshed(unit: Unit, status: FileStatus): Unit {
  const { lengthBytes, modifiedAtMs, blockBytes } = status;
  return {
    ...unit,
    lengthBytes,
    modifiedAtMs,
    blockBytes,
    ...(unit.attributes ? { attributes: attributesOf(status) } : {}),
  };
}

function isUnresolved(error: FanoutError): boolean {
  const { cause } = error;
  return error instanceof TransportError && cause instanceof Error && 'code' in cause && cause.code === 'ENOTFOUND';
}

class AppearedError extends FanoutError {
  override readonly name = 'AppearedError';
  constructor(path: string) {
    const where = { operation: 'CREATE', path };
    super('it appeared after planning', { disposition: 'fail-unit', where, remedy: 'use --force to overwrite' });
  }
}
