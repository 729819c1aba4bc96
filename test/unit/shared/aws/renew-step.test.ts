import { beforeEach, expect, it } from 'vitest';
import type { KeptToken } from '../../../../shared/aws/job-tokens.ts';
import { renewStep } from '../../../../shared/aws/renew-step.ts';
import type { HeldToken } from '../../../../shared/hdfs/delegation-tokens.ts';
import { silentLog } from '../../../../shared/log.ts';
import { remoteErrorOf } from '../../../../shared/hdfs/remote-exception.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const periodMs = 15 * MINUTE;
const { signal } = new AbortController();

/** A cluster that renews a token by an hour at a time, until it is three hours old. */
class FakeCluster {
  readonly lives = new Map<string, { readonly maxMs: number; untilMs: number }>();
  readonly cancelled: string[] = [];
  readonly asked: string[] = [];
  failure: Error | undefined;
  #made = 0;

  get = (nameservice: string): Promise<HeldToken> => this.#answer('get', () => this.#make(nameservice));

  renew = ({ token }: Pick<HeldToken, 'token'>): Promise<number> =>
    this.#answer('renew', () => {
      const life = this.lives.get(token);
      if (!life || life.untilMs < nowMs) throw unknown;
      life.untilMs = Math.min(nowMs + HOUR, life.maxMs);
      return life.untilMs;
    });

  cancel = ({ token }: Pick<HeldToken, 'token'>): Promise<void> =>
    this.#answer('cancel', () => {
      this.lives.delete(token);
      this.cancelled.push(token);
    });

  #make(nameservice: string): HeldToken {
    const token = `token-${++this.#made}`;
    this.lives.set(token, { maxMs: nowMs + 3 * HOUR, untilMs: nowMs + HOUR });
    return { nameservice, token, renewedUntilMs: nowMs + HOUR };
  }

  async #answer<T>(what: string, answer: () => T): Promise<T> {
    this.asked.push(what);
    if (this.failure) throw this.failure;
    return Promise.resolve(answer());
  }
}

const unknown = remoteErrorOf(
  403,
  JSON.stringify({ RemoteException: { exception: 'InvalidToken', message: "token can't be found in cache" } }),
  { operation: 'RENEWDELEGATIONTOKEN', path: '/' },
);

/** The tokens of one job, unencrypted. */
class FakeTokens {
  readonly all: KeptToken[] = [];
  isActive = true;

  kept = (): Promise<KeptToken[]> => Promise.resolve([...this.all]);

  reveal = (_job: string, { nameservice, renewedUntilMs, token }: KeptToken): Promise<HeldToken> =>
    Promise.resolve({ nameservice, renewedUntilMs, token: Buffer.from(token).toString() });

  keep = (_job: string, cluster: string, held: HeldToken, gotAtMs = nowMs): Promise<boolean> => {
    if (this.isActive) {
      this.all.push({ ...held, token: Buffer.from(held.token), cluster, gotAtMs, sk: `${this.all.length}` });
    }
    return Promise.resolve(this.isActive);
  };

  setRenewedUntil = (_job: string, { sk }: KeptToken, renewedUntilMs: number): Promise<void> => {
    const i = this.all.findIndex((one) => one.sk === sk);
    const before = this.all[i];
    if (before) this.all[i] = { ...before, renewedUntilMs };
    return Promise.resolve();
  };

  /** What copiers would use. */
  get current(): string {
    return Buffer.from(this.all.at(-1)?.token ?? []).toString();
  }
}

let nowMs: number;
let cluster: FakeCluster;
let tokens: FakeTokens;
let jobs: string[];
let lines: object[];

beforeEach(async () => {
  nowMs = Date.UTC(2026, 0, 1);
  [cluster, tokens, jobs, lines] = [new FakeCluster(), new FakeTokens(), ['job'], []];
  await tokens.keep('job', 'prod', await cluster.get('/'));
  cluster.asked.length = 0;
});

function round(clientOf: (alias: string) => Promise<FakeCluster> = () => Promise.resolve(cluster)) {
  const active = {
    list: () => Promise.resolve(jobs.map((job) => ({ job, execution: job, startedAtMs: 0 }))),
  };
  const log = { ...silentLog, error: (fields: object) => lines.push(fields) };
  return renewStep({ active, tokens, log }, clientOf, periodMs, signal, () => nowMs);
}

it('asks nothing of a cluster while a token lasts for two rounds more', async () => {
  nowMs += HOUR - 2 * periodMs;
  expect(await round()).toEqual({ renewed: 0, replaced: 0, failed: 0 });
  expect(cluster.asked).toEqual([]);
});

it('renews one that would end before the round after the next', async () => {
  nowMs += HOUR - 2 * periodMs + 1;
  expect(await round()).toEqual({ renewed: 1, replaced: 0, failed: 0 });
  expect(tokens.current).toBe('token-1');
  expect(tokens.all[0]?.renewedUntilMs).toBe(nowMs + HOUR);
  expect(await round()).toEqual({ renewed: 0, replaced: 0, failed: 0 });
});

it('keeps a job in tokens for a day, over eight maximum lifetimes, with one round in two lost', async () => {
  for (const end = nowMs + 24 * HOUR; nowMs < end; nowMs += 2 * periodMs) {
    const { untilMs = 0 } = cluster.lives.get(tokens.current) ?? {};
    expect(untilMs, `what copiers have at ${new Date(nowMs).toISOString()}`).toBeGreaterThanOrEqual(nowMs);
    expect(await round()).toMatchObject({ failed: 0 });
  }
  expect(tokens.all.length).toBeGreaterThan(7);
  expect(tokens.all.length).toBeLessThan(13);
  // Requests under way may carry any: they are cancelled when the job ends.
  expect(cluster.cancelled).toEqual([]);
});

it('replaces one that the cluster does not know any more', async () => {
  nowMs += 2 * HOUR;
  expect(await round()).toEqual({ renewed: 0, replaced: 1, failed: 0 });
  expect(tokens.current).toBe('token-2');
});

it('looks at the newest of a nameservice only', async () => {
  nowMs += 3 * HOUR - periodMs;
  await round();
  nowMs += 2 * HOUR;
  cluster.asked.length = 0;
  await round();
  expect(cluster.asked).toEqual(['renew', 'get']);
});

it('cancels a replacement at once when the job ended meanwhile', async () => {
  nowMs += 2 * HOUR;
  tokens.isActive = false;
  expect(await round()).toEqual({ renewed: 0, replaced: 0, failed: 0 });
  expect(cluster.cancelled).toEqual(['token-2']);
  expect(tokens.current).toBe('token-1');
});

it('counts and logs a failure with its cluster, its reason and when the token ends, and goes on with the others', async () => {
  const other = new FakeCluster();
  await tokens.keep('job', 'backup', await other.get('/'));
  nowMs += 2 * HOUR;
  cluster.failure = new Error('no Kerberos ticket: Cannot contact any KDC (check the KDC of the realm in krb5_conf)');
  const answer = await round((alias) => Promise.resolve(alias === 'prod' ? cluster : other));
  expect(answer).toEqual({ renewed: 0, replaced: 1, failed: 1 });
  expect(lines).toEqual([
    {
      job: 'job',
      cluster: 'prod',
      nameservice: '/',
      endsAt: '2026-01-01T01:00:00.000Z',
      error: cluster.failure.message,
    },
  ]);
  expect(JSON.stringify(lines)).not.toContain('token-');
});

it('looks at no token of a job that is not at work', async () => {
  jobs = [];
  nowMs += 2 * HOUR;
  expect(await round()).toEqual({ renewed: 0, replaced: 0, failed: 0 });
});
