import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StateError } from '../../../../shared/errors.ts';
import { Budget } from '../../../../shared/limits/budget.ts';
import { type Leases, OwnLeases } from '../../../../shared/limits/leases.ts';
import { never } from '../../../support/files.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

let clock: VirtualClock;
beforeEach(() => void (clock = new VirtualClock()));
afterEach(() => clock[Symbol.dispose]());

const budgetOf = (leases: Leases, perSecond: () => number | undefined) =>
  new Budget({ perSecond, lease: (lastsMs, nowMs) => leases.lease('budget', lastsMs, nowMs) });

/** Takes as much as it gets until it is stopped. */
class Spender {
  spent = 0;
  readonly #stop = new AbortController();

  /** @param mostPerSecond  what it could spend if there were no limit */
  constructor(budget: Budget, most = 65_536, mostPerSecond = Infinity) {
    this.#spend(budget, most, mostPerSecond).catch(() => undefined);
  }

  async #spend(budget: Budget, most: number, mostPerSecond: number): Promise<void> {
    for (;;) {
      const bytes = Math.min(most, budget.atOnce);
      await budget.take(bytes, this.#stop.signal);
      this.spent += bytes;
      if (mostPerSecond < Infinity) await new Promise((go) => setTimeout(go, (bytes / mostPerSecond) * 1000));
      this.#stop.signal.throwIfAborted();
    }
  }

  stop(): void {
    this.#stop.abort(new Error('enough'));
  }
}

const sum = (spenders: readonly Spender[]) => spenders.reduce((total, { spent }) => total + spent, 0);

describe('a budget', () => {
  it.each([
    [1, 1, 100_000_000],
    [1, 16, 1_000_000],
    [4, 4, 10_000_000],
    [16, 10, 50_000_000],
    [16, 1, 100_000],
    [100, 2, 20_000_000],
    [2, 3, 1000],
  ])('of %i holders with %i spenders each is kept, at %i a second, and used', async (holders, each, perSecond) => {
    const leases = new OwnLeases();
    const budgets = Array.from({ length: holders }, () => budgetOf(leases, () => perSecond));
    const spenders = budgets.flatMap((budget) => Array.from({ length: each }, () => new Spender(budget)));
    // Until all know of each other.
    await clock.pass(5000);
    const before = sum(spenders);
    await clock.pass(20_000);
    const rate = (sum(spenders) - before) / 20;
    expect(rate / perSecond).toBeGreaterThan(0.95);
    expect(rate / perSecond).toBeLessThan(1.05);
    for (const spender of spenders) spender.stop();
  });

  it('gives all holders and all spenders their turn', async () => {
    const leases = new OwnLeases();
    const spenders = Array.from({ length: 4 }, () => budgetOf(leases, () => 8_000_000)).flatMap((budget) => [
      new Spender(budget),
      new Spender(budget),
    ]);
    await clock.pass(30_000);
    for (const { spent } of spenders) {
      expect(spent).toBeGreaterThan(20_000_000);
      expect(spent).toBeLessThan(45_000_000);
    }
    for (const spender of spenders) spender.stop();
  });

  it('leaves to the others what one does not spend', async () => {
    const leases = new OwnLeases();
    const slow = new Spender(
      budgetOf(leases, () => 10_000_000),
      10_000,
      500_000,
    );
    const fast = new Spender(budgetOf(leases, () => 10_000_000));
    await clock.pass(5000);
    const before = fast.spent;
    await clock.pass(20_000);
    expect((fast.spent - before) / 20).toBeGreaterThan(8_000_000);
    slow.stop();
    fast.stop();
  });

  it('spends no more than a quarter of a second’s at once after a pause', async () => {
    const budget = budgetOf(new OwnLeases(), () => 1_000_000);
    const first = new Spender(budget, 1000);
    await clock.pass(3000);
    first.stop();
    await clock.pass(60_000);
    const second = new Spender(budget, 1000);
    await clock.pass(100);
    expect(second.spent).toBeLessThanOrEqual(510_000);
    second.stop();
  });

  it('asks for a lease about once a second and no oftener', async () => {
    const leases = new OwnLeases();
    const lease = vi.spyOn(leases, 'lease');
    const spender = new Spender(budgetOf(leases, () => 50_000_000));
    await clock.pass(60_000);
    expect(lease.mock.calls.length).toBeLessThan(70);
    spender.stop();
  });

  it('asks seldomer the more holders there are', async () => {
    const leases = new OwnLeases();
    const lease = vi.spyOn(leases, 'lease');
    const spenders = Array.from(
      { length: 300 },
      () =>
        new Spender(
          budgetOf(leases, () => 300_000_000),
          1_000_000,
        ),
    );
    await clock.pass(10_000);
    lease.mockClear();
    await clock.pass(20_000);
    expect(lease.mock.calls.length / 20).toBeLessThan(130);
    for (const spender of spenders) spender.stop();
  });

  it('costs no lease and no wait while there is no limit', () => {
    const leases = new OwnLeases();
    const lease = vi.spyOn(leases, 'lease');
    const budget = budgetOf(leases, () => undefined);
    expect(budget.atOnce).toBe(Infinity);
    expect(budget.take(2 ** 40, never)).toBeUndefined();
    expect(lease).not.toHaveBeenCalled();
  });

  it('holds nobody up by a limit that is never reached', async () => {
    const spender = new Spender(
      budgetOf(new OwnLeases(), () => 1_000_000_000),
      65_536,
      10_000_000,
    );
    await clock.pass(10_000);
    const free = new Spender(
      budgetOf(new OwnLeases(), () => undefined),
      65_536,
      10_000_000,
    );
    const before = spender.spent;
    await clock.pass(10_000);
    expect(spender.spent - before).toBeGreaterThan(0.99 * free.spent);
    spender.stop();
    free.stop();
  });

  it('is spent first come first served', async () => {
    const budget = budgetOf(new OwnLeases(), () => 1000);
    const order: number[] = [];
    const turns = [500, 1, 300].map(async (amount, index) => {
      await budget.take(amount, never);
      order.push(index);
    });
    await clock.pass(5000);
    await Promise.all(turns);
    expect(order).toEqual([0, 1, 2]);
  });

  it('lets go who is aborted, with the signal’s reason, and serves the next', async () => {
    const budget = budgetOf(new OwnLeases(), () => 10);
    const stop = new AbortController();
    const reason = new Error('stopped');
    const first = budget.take(1_000_000, stop.signal);
    const second = budget.take(10, never);
    const refused = expect(first).rejects.toBe(reason);
    await clock.pass(500);
    stop.abort(reason);
    await refused;
    await clock.pass(5000);
    await second;
    await expect(budget.take(1_000_000, stop.signal)).rejects.toBe(reason);
  });

  it('takes a new limit once the leases of the old one are over, and lets all go when there is none any more', async () => {
    const limit = { perSecond: 10 as number | undefined };
    const leases = new OwnLeases();
    const budget = budgetOf(leases, () => limit.perSecond);
    const spender = new Spender(budget, 1000);
    await clock.pass(10_000);
    expect(spender.spent).toBeLessThan(150);
    limit.perSecond = 1_000_000;
    budget.look();
    await clock.pass(10_000);
    expect(spender.spent).toBeGreaterThan(8_000_000);
    limit.perSecond = 10;
    budget.look();
    const before = spender.spent;
    await clock.pass(10_000);
    expect(spender.spent - before).toBeLessThan(25_000);
    const waiting = budget.take(1_000_000, never);
    spender.stop();
    limit.perSecond = undefined;
    budget.look();
    await waiting;
  });

  it('is looked at again by itself while somebody waits', async () => {
    const limit = { perSecond: 1 as number | undefined };
    const budget = budgetOf(new OwnLeases(), () => limit.perSecond);
    const waiting = budget.take(1_000_000, never);
    await clock.pass(5000);
    limit.perSecond = undefined;
    await clock.pass(1000);
    await waiting;
  });

  /** Leases that are not granted while `error` is set. */
  const refusing = (error: Error) => {
    const own = new OwnLeases();
    const state = { error: error as Error | undefined, asked: 0 };
    const leases: Leases = {
      lease: (...given) => {
        state.asked += 1;
        return state.error ? Promise.reject(state.error) : own.lease(...given);
      },
    };
    return { state, budget: budgetOf(leases, () => 1000) };
  };

  it('keeps all who wait while no lease is granted for a moment, and asks ever seldomer', async () => {
    const { state, budget } = refusing(new Error('the table is away'));
    const waiting = Promise.all([budget.take(1, never), budget.take(1, never)]);
    await clock.pass(60_000);
    expect(state.asked).toBeGreaterThan(5);
    expect(state.asked).toBeLessThan(40);
    state.error = undefined;
    await clock.pass(6000);
    await waiting;
  });

  it('ends the job when no lease is granted for minutes, says why, and tries again for the next', async () => {
    const { state, budget } = refusing(new Error('the table is away'));
    const refused = Promise.all(
      [budget.take(1, never), budget.take(1, never)].map((turn) =>
        expect(turn).rejects.toMatchObject({
          disposition: 'fail-job',
          message: expect.stringContaining('no lease for 300 s: the table is away') as string,
        }),
      ),
    );
    await clock.pass(320_000);
    await refused;
    state.error = undefined;
    const next = budget.take(1, never);
    await clock.pass(1000);
    await next;
  });

  it('ends at once with an error of the store that ends a job', async () => {
    const error = new StateError('the disk is full', 'make room');
    const { budget } = refusing(error);
    await expect(budget.take(1, never)).rejects.toBe(error);
  });

  it('fails nobody by a lease that is asked for ahead', async () => {
    const { state, budget } = refusing(new Error('the table is away'));
    state.error = undefined;
    const first = budget.take(6, never);
    await clock.pass(100);
    await first;
    state.error = new Error('the table is away');
    const spender = new Spender(budget, 1);
    await clock.pass(10_000);
    const before = spender.spent;
    state.error = undefined;
    await clock.pass(20_000);
    expect(spender.spent).toBeGreaterThan(before + 10_000);
    spender.stop();
  });

  it.each([1, 2, 3, 4, 5, 7])('of %i requests a second gives as many', async (perSecond) => {
    const budget = budgetOf(new OwnLeases(), () => perSecond);
    const spenders = Array.from({ length: 3 }, () => new Spender(budget, 1));
    await clock.pass(5000);
    const before = sum(spenders);
    await clock.pass(60_000);
    expect(Math.abs(sum(spenders) - before - 60 * perSecond)).toBeLessThanOrEqual(Math.max(2, 3 * perSecond));
    for (const spender of spenders) spender.stop();
  });

  it.each([
    ['ten minutes back', -600_000],
    ['a day back', -86_400_000],
    ['a day ahead', 86_400_000],
  ])('is spent on when the clock is set %s', async (_, setOffMs) => {
    const spender = new Spender(
      budgetOf(new OwnLeases(), () => 1000),
      10,
    );
    await clock.pass(10_000);
    clock.setOffMs = setOffMs;
    const before = spender.spent;
    await clock.pass(20_000);
    expect(spender.spent - before).toBeGreaterThan(17_000);
    expect(spender.spent - before).toBeLessThan(23_000);
    spender.stop();
  });

  it('lets go ahead at once who must not wait, and makes the others wait for it', async () => {
    const budget = budgetOf(new OwnLeases(), () => 10);
    const spender = new Spender(budget, 1);
    await clock.pass(10_000);
    const before = spender.spent;
    for (let request = 0; request < 50; request++) budget.spendAtOnce(1);
    await clock.pass(10_000);
    expect(spender.spent - before).toBeGreaterThan(44);
    expect(spender.spent - before).toBeLessThan(56);
    await clock.pass(10_000);
    expect(spender.spent - before).toBeGreaterThan(140);
    spender.stop();
  });

  it('makes who comes later wait for what was spent ahead, also when nobody waited then', async () => {
    const budget = budgetOf(new OwnLeases(), () => 10);
    for (let request = 0; request < 20; request++) budget.spendAtOnce(1);
    let isDone = false;
    const next = budget.take(1, never)?.then(() => (isDone = true));
    await clock.pass(1500);
    expect(isDone).toBe(false);
    await clock.pass(1500);
    await next;
    expect(isDone).toBe(true);
  });

  it('says that it binds only when somebody waited a moment ago', async () => {
    const budget = budgetOf(new OwnLeases(), () => 1000);
    expect(budget.boundWithin(2000)).toBeUndefined();
    const spender = new Spender(budget, 100);
    await clock.pass(3000);
    expect(budget.boundWithin(2000)).toBe(1000);
    spender.stop();
    await clock.pass(3000);
    expect(budget.boundWithin(2000)).toBeUndefined();
  });
});
