import type * as Prometheus from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import type { Progress } from '../shared/copy/progress.ts';
import { locationsOf } from '../shared/endpoints/location.ts';
import type { Job } from '../shared/job/job.ts';
import type { JobStore } from '../shared/job/job-store.ts';
import { type Counters, type FileEnding, withPlanned } from '../shared/job/outcome.ts';
import type { Storage } from '../shared/storage/storage.ts';
import { secondsLeft, Speed } from './speed.ts';

/** A job at work: its records, and its live figures. */
interface Followed {
  readonly job: Job;
  readonly store: Pick<JobStore, 'get' | 'counters'>;
  readonly progress: Progress;
}

const PREFIX = 'hdfs_fanout_';
/** How often the speed is looked at, ms. */
const LOOK_EVERY_MS = 1000;
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const endings = ['copied', 'skipped', 'failed', 'vanished', 'changed'] as const satisfies readonly FileEnding[];
const phases = ['planning', 'copying', 'finishing', 'done'] as const satisfies readonly Job['phase'][];

/**
 * What a job tells Prometheus. Files, bytes and retries are those that the job store has recorded, exact over resumes and killed copiers; what moves
 * is of this process. Labels hold aliases of clusters, names of operations and the job's id, and never a path.
 */
export class JobMetrics {
  readonly #prometheus: typeof Prometheus;
  readonly #registry: Prometheus.Registry;
  readonly #speed = new Speed();
  readonly #latency: Prometheus.Histogram<'cluster' | 'operation'>;
  readonly #looking: NodeJS.Timeout;
  #followed: Followed | undefined;
  #counters: Counters = new Map();
  #phase: Job['phase'] | undefined;
  #bytesPerSecond = 0;
  #end: { readonly atMs: number; readonly code: number } | undefined;

  constructor(prometheus: typeof Prometheus, startedAtMs: number) {
    this.#prometheus = prometheus;
    this.#registry = new prometheus.Registry();
    this.#latency = new prometheus.Histogram({
      name: `${PREFIX}namenode_request_duration_seconds`,
      help: 'How long namenodes and HttpFS took to answer, by cluster and WebHDFS operation.',
      labelNames: ['cluster', 'operation'],
      buckets: BUCKETS,
      registers: [this.#registry],
    });
    this.#define(startedAtMs);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#looking.unref();
  }

  /** Measures from now on how long the servers of these storages take to answer. */
  measure(...storages: readonly Storage[]): void {
    for (const { load } of storages)
      if (load) load.onAnswer = (operation, tookMs) => this.noteAnswer(load.name, operation, tookMs);
  }

  /** An answer that this process or one of its copiers got. */
  noteAnswer(cluster: string, operation: string, tookMs: number): void {
    this.#latency.observe({ cluster, operation }, tookMs / 1000);
  }

  /** Tells of this job from now on. */
  follow(followed: Followed): void {
    this.#followed = followed;
    this.#registry.setDefaultLabels({ job_id: followed.job.id });
  }

  /** The command is about to end with this exit code. */
  end(code: number, atMs: number): void {
    clearInterval(this.#looking);
    this.#end = { code, atMs };
  }

  /** All metrics as they are now, in Prometheus's text format. */
  async text(): Promise<string> {
    if (this.#followed) {
      const { job, store } = this.#followed;
      const now = (await store.get(job.id)) ?? job;
      this.#counters = withPlanned(await store.counters(job.id), now);
      this.#phase = now.phase;
    }
    return this.#registry.metrics();
  }

  #look(): void {
    if (this.#followed) this.#bytesPerSecond = this.#speed.of(this.#followed.progress.moved);
  }

  #define(startedAtMs: number): void {
    const count = (name: string) => this.#counters.get(name) ?? 0;
    const ofProgress = (figure: (progress: Progress) => number) => () =>
      this.#followed ? figure(this.#followed.progress) : 0;

    this.#perLabel('files_total', 'Files that have ended, by outcome.', 'counter', 'outcome', () =>
      endings.map((ending) => [ending, count(`files.${ending}`)]),
    );
    this.#counter('copied_bytes_total', 'Bytes of the files that were copied.', () => count('bytes.copied'));
    this.#counter('retries_total', 'Tries of files after their first one.', () => count('retries'));
    this.#counter(
      'transferred_bytes_total',
      'Bytes moved since this process began, those of files under way and of failed tries included.',
      ofProgress(({ moved }) => moved),
    );
    this.#perLabel('listed_entries_total', 'Entries of the source that planning has listed.', 'counter', 'kind', () =>
      Object.entries(this.#followed?.progress.listed ?? {}),
    );
    this.#gauge(
      'expected_files',
      'Files of the job, as far as it is planned.',
      ofProgress((of) => of.expectedFiles),
    );
    this.#gauge(
      'expected_bytes',
      'Bytes of the job, once it is planned.',
      ofProgress((of) => of.expectedBytes),
    );
    this.#gauge(
      'transfers_in_flight',
      'Transfers under way.',
      ofProgress((of) => of.transferring),
    );
    this.#gauge(
      'copiers',
      'Processes that copy.',
      ofProgress((of) => of.copiers),
    );
    this.#gauge('throughput_bytes_per_second', 'Bytes moved a second, of the last ten.', () => this.#bytesPerSecond);
    this.#gauge('remaining_seconds', 'Time left at this throughput, where it can be told.', () => {
      const left = this.#followed ? secondsLeft(this.#followed.progress, this.#bytesPerSecond) : Infinity;
      return this.#end || left === Infinity ? undefined : left;
    });
    this.#perLabel('job_phase', 'Where the job is: 1, and 0 of the other phases.', 'gauge', 'phase', () =>
      phases.map((phase) => [phase, phase === this.#phase ? 1 : 0]),
    );
    this.#gauge(
      'job_start_timestamp_seconds',
      'When the job began; before that, when the command did.',
      () => (this.#followed?.job.startedAtMs ?? startedAtMs) / 1000,
    );
    this.#gauge('job_end_timestamp_seconds', 'When the command ended.', () => this.#end && this.#end.atMs / 1000);
    this.#gauge('job_exit_code', 'The exit code of the command that has ended.', () => this.#end?.code);
    this.#info();
  }

  #info(): void {
    const followed = () => this.#followed;
    new this.#prometheus.Gauge({
      name: `${PREFIX}job_info`,
      help: 'What runs: between which clusters, and by which version.',
      labelNames: ['source', 'destination', 'version'],
      registers: [this.#registry],
      collect() {
        this.reset();
        const spec = followed()?.job.spec;
        if (!spec) return;
        const { sourceAlias, destinationAlias } = locationsOf(spec);
        this.set({ source: sourceAlias, destination: destinationAlias, version: packageJson.version }, 1);
      },
    });
  }

  #counter(name: string, help: string, value: () => number): void {
    new this.#prometheus.Counter({
      name: PREFIX + name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  /** @param value  undefined where there is none to tell */
  #gauge(name: string, help: string, value: () => number | undefined): void {
    new this.#prometheus.Gauge({
      name: PREFIX + name,
      help,
      registers: [this.#registry],
      collect() {
        const now = value();
        if (now === undefined) this.remove();
        else this.set(now);
      },
    });
  }

  #perLabel(
    name: string,
    help: string,
    kind: 'counter' | 'gauge',
    label: string,
    values: () => readonly (readonly [string, number])[],
  ): void {
    const { Counter, Gauge } = this.#prometheus;
    const registers = [this.#registry];
    new (kind === 'counter' ? Counter : Gauge)({
      ...{ name: PREFIX + name, help, labelNames: [label], registers },
      collect() {
        this.reset();
        for (const [of, value] of values()) this.inc({ [label]: of }, value);
      },
    });
  }
}
