// AWS on the loopback interface: one server, in which Lambdas are processes of this Node.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tailOf } from '../../bed/host.ts';
import type { Say } from '../../bed/jars.ts';
import { freePorts } from '../../bed/ports.ts';
import { writeCertificate } from './certificate.ts';
import { getPython } from './python.ts';

export const account = '000000000000';
export const region = 'us-east-1';

export interface EmulatorOptions {
  /** Enforces policies and signatures, which needs TLS: the policies themselves deny what comes without. */
  readonly iam: boolean;
  readonly say?: Say;
}

export interface Emulator extends AsyncDisposable {
  readonly endpoint: string;
  /** For whatever talks to it as the account's root user: SDK, cdk, command line. */
  readonly environment: Readonly<Record<string, string>>;
  /** The last lines of its log. */
  logs(lines?: number): string;
  stop(): Promise<void>;
}

const launcher = join(import.meta.dirname, 'launcher.py');
const readyWithinMs = 120_000;
const attempts = 3;

/** All that the server gets, and with it every Lambda: it hands its own environment down. */
const serverEnvironment = (port: number, dir: string): NodeJS.ProcessEnv => ({
  // Lambdas run on the first node of the path.
  PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
  LANG: 'C.UTF-8',
  HOME: dir,
  TMPDIR: join(dir, 'tmp'),
  GATEWAY_PORT: String(port),
  BIND_HOST: '127.0.0.1',
  MINISTACK_ACCOUNT_ID: account,
  MINISTACK_REGION: region,
  PYTHONDONTWRITEBYTECODE: '1',
});

const clientEnvironment = (endpoint: string, certificate: string | undefined): Record<string, string> => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ENDPOINT_URL_S3: endpoint,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate, AWS_CA_BUNDLE: certificate }),
});

/** This process's environment without whatever of AWS is in it, and with what leads to the emulator. */
export const environmentFor = (environment: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  return { ...Object.fromEntries(own), ...environment };
};

/** A server, until it is stopped or the process that started it ends, in whatever way. */
class Server {
  readonly #child: ChildProcess;
  readonly log: string;
  #failure: Error | undefined;

  constructor(python: string, dir: string, env: NodeJS.ProcessEnv) {
    this.log = join(dir, 'server.log');
    const log = openSync(this.log, 'a');
    try {
      // A group of its own, with its Lambdas: Ctrl-C in a terminal does not reach it, and one signal ends them all. Its standard
      // input is a pipe from here, which closes when this process dies; then it ends the group by itself and deletes `dir`.
      this.#child = spawn(python, [launcher, dir], { stdio: ['pipe', log, log], detached: true, cwd: dir, env });
    } finally {
      closeSync(log);
    }
    this.#child.on('error', (error) => (this.#failure = error));
    this.#child.stdin?.on('error', () => undefined); // it has ended: its exit tells
    // One that nobody stops must not keep its process from ending.
    this.#child.unref();
    (this.#child.stdin as Socket | null)?.unref();
  }

  /** Why it does not run. */
  get failure(): Error | undefined {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) return undefined;
    return this.#failure ?? new Error(`the server has ended (${signalCode ?? `exit code ${exitCode}`})`);
  }

  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || this.failure) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.ref();
    // There is nothing to save, and a Lambda that hangs would keep it from ending in a milder way.
    process.kill(-pid, 'SIGKILL');
    await ended;
  }
}

const answers = (endpoint: string, ca: string | undefined): Promise<boolean> => {
  const url = `${endpoint}/_ministack/health`;
  if (ca === undefined)
    return fetch(url)
      .then(({ ok }) => ok)
      .catch(() => false);
  return new Promise((resolve) => {
    const asking = request(url, { ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asking.on('error', () => resolve(false));
    asking.end();
  });
};

const waitReady = async (server: Server, endpoint: string, ca: string | undefined): Promise<void> => {
  const deadline = Date.now() + readyWithinMs;
  while (!(await answers(endpoint, ca))) {
    if (server.failure) throw server.failure;
    if (Date.now() > deadline) throw new Error(`it does not answer after ${readyWithinMs / 1000} s`);
    await sleep(50);
  }
};

const startOnce = async (python: string, iam: boolean): Promise<Emulator> => {
  const dir = await mkdtemp(join(await realpath(tmpdir()), 'hdfs-fanout-aws-'));
  await mkdir(join(dir, 'tmp'));
  const [port = 0] = await freePorts(1);
  const endpoint = `${iam ? 'https' : 'http'}://127.0.0.1:${port}`;
  const env = serverEnvironment(port, dir);
  const tls = iam ? await writeCertificate(dir) : undefined;
  if (tls)
    Object.assign(env, { AUTH: 'true', USE_SSL: '1', MINISTACK_SSL_CERT: tls.certificate, MINISTACK_SSL_KEY: tls.key });
  const server = new Server(python, dir, env);
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await waitReady(server, endpoint, tls && (await readFile(tls.certificate, 'utf8')));
  } catch (error) {
    const log = tailOf(server.log, 60);
    await stop();
    throw new Error(`the AWS emulator did not start: ${(error as Error).message}\n${log}`.trimEnd(), { cause: error });
  }
  return {
    endpoint,
    environment: clientEnvironment(endpoint, tls?.certificate),
    logs: (lines = 60) => tailOf(server.log, lines),
    stop,
    [Symbol.asyncDispose]: stop,
  };
};

/** Rejects, with the end of its log in the message and nothing left running, if it does not come up. */
export const startEmulator = async ({ iam, say }: EmulatorOptions): Promise<Emulator> => {
  const python = await getPython(say);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(python, iam);
    } catch (error) {
      // The port was free when it was chosen, but any process may have taken it since.
      if (attempt === attempts || !(error as Error).message.includes('already in use')) throw error;
    }
  }
};
