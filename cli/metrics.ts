import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { messageOf, printable, SpecError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { JobMetrics } from './job-metrics.ts';
import { printNote } from './output.ts';

export interface MetricsFlags {
  readonly metricsFile?: string;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
  readonly dryRun: boolean;
}

/** Between two writes of the file, ms: node exporter is asked every fifteen seconds or so. */
const WRITE_EVERY_MS = 5000;
const LOOPBACK = '127.0.0.1';

/** The metrics of a command, and where they are told. */
export interface Metrics {
  readonly job: JobMetrics;
  /** Tells how the command ended. Never fails. */
  readonly end: (code: number) => Promise<void>;
}

/**
 * Begins to tell metrics where flags ask for it. Asks nothing of a cluster.
 * @throws SpecError when the file cannot be written, or the port cannot be listened at
 */
export async function openMetrics(flags: MetricsFlags, log: Log): Promise<Metrics | undefined> {
  const { metricsFile: file, metricsPort: port, metricsHost: host = LOOPBACK } = flags;
  if (flags.metricsHost !== undefined && port === undefined)
    throw new SpecError('--metrics-host says where to listen', 'add --metrics-port');
  if (file === undefined && port === undefined) return undefined;
  if (flags.dryRun)
    throw new SpecError('a dry run copies nothing to measure', 'leave out --metrics-file and --metrics-port');
  // Loaded by those alone who ask for it.
  const job = new JobMetrics(await import('prom-client'), Date.now());
  const server = port === undefined ? undefined : await serveMetrics(job, port, host);
  let written: MetricsFile | undefined;
  try {
    written = file === undefined ? undefined : await MetricsFile.open(job, file, log);
  } catch (error) {
    server?.close();
    throw error;
  }
  return {
    job,
    async end(code) {
      job.end(code, Date.now());
      await written?.end();
      server?.close();
      server?.closeAllConnections();
    },
  };
}

/** A file that always holds all metrics of one moment: each time a new one takes its place. */
class MetricsFile {
  readonly #job: JobMetrics;
  readonly #file: string;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();
  #hasWarned = false;

  private constructor(job: JobMetrics, file: string, log: Log) {
    this.#job = job;
    this.#file = file;
    this.#log = log;
    this.#timer = setInterval(() => void this.#write(), WRITE_EVERY_MS);
    this.#timer.unref();
  }

  /** @throws SpecError */
  static async open(job: JobMetrics, name: string, log: Log): Promise<MetricsFile> {
    const file = resolve(name);
    try {
      await replace(file, await job.text());
    } catch (error) {
      throw new SpecError(`--metrics-file ${printable(name)}: ${messageOf(error)}`, 'name a file that can be written');
    }
    return new MetricsFile(job, file, log);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write();
  }

  /** One after the other. A file that cannot be written any more is told of once, and does not end the copy. */
  #write(): Promise<void> {
    return (this.#writing = this.#writing.then(async () => {
      try {
        await replace(this.#file, await this.#job.text());
      } catch (error) {
        if (this.#hasWarned) return;
        this.#hasWarned = true;
        const why = `the metrics file ${printable(this.#file)} cannot be written any more: ${messageOf(error)}`;
        this.#log.warn({}, why);
        printNote(why);
      }
    }));
  }
}

/** Readers find the old text or the new one. Node exporter takes no file for its own whose name does not end in `.prom`. */
async function replace(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(aside, text);
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** @throws SpecError */
async function serveMetrics(job: JobMetrics, port: number, host: string): Promise<Server> {
  const server = createServer(answering(job));
  try {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(port, host, done));
  } catch (error) {
    throw new SpecError(`--metrics-port: ${messageOf(error)}`, 'choose another port, or 0 for any that is free');
  }
  server.on('error', () => undefined);
  // It is no reason to stay when all else has ended.
  server.unref();
  if (port === 0) {
    const { address, family, port: chosen } = server.address() as AddressInfo;
    printNote(`metrics are at http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}/metrics`);
  }
  return server;
}

function answering(job: JobMetrics): RequestListener {
  return ({ method, url = '/' }, response) => {
    const refuse = (status: number, why: string) =>
      response.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
    if (url.split('?')[0] !== '/metrics') return void refuse(404, 'metrics are at /metrics');
    if (method !== 'GET' && method !== 'HEAD') return void refuse(405, 'only GET is answered');
    void job.text().then(
      (text) =>
        response
          .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(method === 'GET' ? text : ''),
      (error: unknown) => refuse(500, messageOf(error)),
    );
  };
}
