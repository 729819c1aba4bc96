import { describe, expect, it } from 'vitest';
import { Pool } from '../../../../shared/copy/pool.ts';
import { Progress } from '../../../../shared/copy/progress.ts';
import { silentLog } from '../../../../shared/log.ts';
import { Load } from '../../../../shared/storage/load.ts';
import { auto, fixed, type Nature, Simulation } from '../../../support/simulated-clusters.ts';

const MINUTE_MS = 60_000;

/** Files a second with the best of these fixed numbers. */
async function best(nature: Partial<Nature>, numbers = [3, 10, 40, 160, 256]): Promise<number> {
  const yields = numbers.map(async (number) => {
    const simulation = new Simulation(fixed(number), nature);
    await simulation.run(5000);
    return simulation.filesPerSecond(20_000);
  });
  return Math.max(...(await Promise.all(yields)));
}

const spread = (limits: readonly number[]) => Math.max(...limits) / Math.min(...limits);

describe('a number of transfers that finds itself', () => {
  it.each<[string, Partial<Nature>]>([
    ['clusters whose knee is at 40', {}],
    ['the same, with times that vary', { noise: 'exponential' }],
    ['far clusters, whose knee is at 160', { latencyMs: 640, workers: 5, serviceMs: 20 }],
    ['the same, with times that vary', { latencyMs: 640, workers: 5, serviceMs: 20, noise: 'exponential' }],
    ['clusters that serve two at once', { latencyMs: 40, workers: 2, serviceMs: 80 }],
    ['clusters that bear all there is', { latencyMs: 500, workers: 10_000, serviceMs: 20 }],
  ])('copies within 15 % of the best fixed number, and rests: %s', async (_what, nature) => {
    const top = await best(nature);
    for (const seed of nature.noise ? [1, 7919, 104_729] : [1]) {
      const simulation = new Simulation(auto(), nature, seed);
      await simulation.run(MINUTE_MS);
      expect(await simulation.filesPerSecond(4 * MINUTE_MS)).toBeGreaterThan(0.85 * top);
      expect(spread(simulation.limits.slice(-120))).toBeLessThanOrEqual(4);
    }
  });

  it('makes nothing of a refusal from before the copying', () => {
    const load = new Load('A');
    load.noteBusy();
    const pool = new Pool(auto(), { loads: [load], progress: new Progress(), log: silentLog });
    const before = pool.limit;
    pool.tick();
    expect(pool.limit).toBe(before);
  });

  it('is there in a few doublings where clusters are far', async () => {
    const simulation = new Simulation(auto(), { latencyMs: 640, workers: 5, serviceMs: 20 });
    await simulation.run(15_000);
    expect(simulation.pool.limit).toBeGreaterThanOrEqual(140);
  });

  it('stays low where more yields nothing', async () => {
    const simulation = new Simulation(auto(), { latencyMs: 40, workers: 2, serviceMs: 80 });
    await simulation.run(3 * MINUTE_MS);
    expect(Math.max(...simulation.limits.slice(-120))).toBeLessThanOrEqual(6);
  });

  it('follows clusters that get slower, and faster again', async () => {
    const simulation = new Simulation(auto(), { noise: 'exponential' });
    await simulation.run(MINUTE_MS);
    simulation.nature.workers = 5;
    await simulation.run(3 * MINUTE_MS);
    expect(simulation.pool.limit).toBeLessThanOrEqual(30);
    simulation.nature.workers = 80;
    await simulation.run(MINUTE_MS);
    expect(await simulation.filesPerSecond(MINUTE_MS)).toBeGreaterThan(0.85 * 800);
  });

  it('takes one giant file among small ones for what it is', async () => {
    const simulation = new Simulation(auto(), { noise: 'exponential' });
    await simulation.run(20_000);
    let files = 0;
    await simulation.run(2 * MINUTE_MS, () => (files++ === 0 ? 10e9 : 0));
    expect(Math.min(...simulation.limits.slice(80))).toBeGreaterThanOrEqual(25);
    expect(await simulation.filesPerSecond(20_000)).toBeGreaterThan(0.85 * 200);
  });

  it('measures large files by their bytes, and a lower number only when so many run', async () => {
    const simulation = new Simulation(auto(), { streamBytesPerMs: 50_000, bytesPerMs: 1_000_000 });
    await simulation.run(MINUTE_MS, () => 1e9);
    const { moved } = simulation.progress;
    await simulation.run(MINUTE_MS, () => 1e9);
    expect(simulation.progress.moved - moved).toBeGreaterThan(0.85 * 1e6 * MINUTE_MS);
    expect(simulation.pool.limit).toBeLessThanOrEqual(30);
  });

  it('takes sizes as they come', async () => {
    const nature = { streamBytesPerMs: 30_000, bytesPerMs: 300_000, workers: 100, noise: 'exponential' } as const;
    const simulation = new Simulation(auto(), nature);
    const pareto = () => Math.min(1e9, 2e5 * (1 - simulation.random()) ** (-1 / 1.1));
    await simulation.run(MINUTE_MS, pareto);
    const { moved } = simulation.progress;
    await simulation.run(MINUTE_MS, pareto);
    expect(simulation.progress.moved - moved).toBeGreaterThan(0.85 * 300_000 * MINUTE_MS);
  });

  it('never exceeds what both clusters allow, nor goes below one', async () => {
    const capped = new Simulation(auto(10, 24), { workers: 10_000 });
    await capped.run(2 * MINUTE_MS);
    expect(Math.max(...capped.limits)).toBe(24);
    expect(capped.limits.slice(-240).filter((limit) => limit === 24).length).toBeGreaterThan(120);
    const narrow = new Simulation(auto(2, 24), { workers: 1, latencyMs: 20 });
    await narrow.run(2 * MINUTE_MS);
    expect(Math.min(...narrow.limits)).toBe(1);
  });

  it('learns nothing while there is less to copy than may be copied at once', async () => {
    const simulation = new Simulation(auto(), { workers: 10_000 });
    await simulation.run(MINUTE_MS, undefined, 6);
    expect(simulation.limits.every((limit) => limit === 10)).toBe(true);
  });

  it('does not climb while nothing moves', async () => {
    const simulation = new Simulation(auto(), { workers: 0 });
    await simulation.run(5 * MINUTE_MS);
    expect(simulation.limits.every((limit) => limit === 10)).toBe(true);
  });

  it('keeps below what a cluster refuses, within 15 % of the best number', async () => {
    const nature = { workers: 10_000, refusesAt: 30 };
    const simulation = new Simulation(auto(), nature);
    await simulation.run(MINUTE_MS);
    expect(await simulation.filesPerSecond(4 * MINUTE_MS)).toBeGreaterThan(0.85 * 150);
    expect(simulation.pool.told?.busy['A']).toBeGreaterThan(0);
  });

  it('makes fewer where namenodes answer much slower than usual, and soon takes that for the usual', async () => {
    const simulation = new Simulation(auto(), {});
    const answering = async (answerMs: number, seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        for (let answer = 0; answer < 200; answer++) simulation.load.noteAnswer(answerMs);
        await simulation.run(1000);
      }
    };
    await answering(5, 60);
    const before = simulation.pool.limit;
    await answering(2000, 10);
    expect(simulation.pool.limit).toBeLessThan(before);
    expect(simulation.progress.atOnce?.busy).toBeUndefined();
    await answering(2000, 120);
    expect(simulation.pool.limit).toBeGreaterThanOrEqual(before * 0.8);
  });
});

describe('a fixed number of transfers', () => {
  it('stays, and nothing is told of it', async () => {
    const simulation = new Simulation(fixed(40), { workers: 1 });
    for (let second = 0; second < 60; second++) {
      for (let answer = 0; answer < 20; answer++) simulation.load.noteAnswer(second < 30 ? 5 : 5000);
      await simulation.run(1000);
    }
    expect(new Set(simulation.limits)).toEqual(new Set([40]));
    expect(simulation.pool.told).toBeUndefined();
    expect(simulation.progress.atOnce).toBeUndefined();
  });

  it('goes down when a cluster says busy, further while it says so, and comes back', async () => {
    const simulation = new Simulation(fixed(40), { latencyMs: 20, serviceMs: 20 });
    await simulation.run(1000);
    simulation.load.noteBusy();
    await simulation.run(1000);
    expect(simulation.progress.atOnce).toEqual({ first: 40, now: 32, busy: { cluster: 'A', of: 40 } });
    for (let second = 0; second < 120; second++) {
      simulation.load.noteBusy();
      await simulation.run(1000);
    }
    expect(simulation.pool.limit).toBe(1);
    await simulation.run(30_000);
    expect(simulation.pool.limit).toBeGreaterThan(10);
    expect(simulation.progress.atOnce?.busy).toEqual({ cluster: 'A', of: 40 });
    await simulation.run(60_000);
    expect(simulation.pool.limit).toBe(40);
    expect(simulation.progress.atOnce).toBeUndefined();
    expect(simulation.pool.told).toMatchObject({ first: 40, last: 40 });
  });

  it('is lowered once for all refusals of two seconds', async () => {
    const simulation = new Simulation(fixed(40), {});
    for (let tick = 0; tick < 7; tick++) {
      for (let refusal = 0; refusal < 100; refusal++) simulation.load.noteBusy();
      await simulation.run(250);
    }
    expect(simulation.pool.limit).toBe(32);
  });

  it('lets those that run end when it is lowered, and starts no other before', async () => {
    const simulation = new Simulation(fixed(10), { workers: 10_000, latencyMs: 0, serviceMs: 20_000 });
    await simulation.run(1000);
    for (let second = 0; second < 10; second++) {
      simulation.load.noteBusy();
      await simulation.run(1000);
    }
    expect(simulation.pool.limit).toBeLessThan(5);
    expect(simulation.ended).toBe(0);
    await simulation.run(10_000);
    expect(simulation.ended).toBe(10);
  });
});
