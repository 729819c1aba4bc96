import { describe, expect, it } from 'vitest';
import { costOf, forecast, type Task } from '../../../../shared/cost/forecast.ts';
import { usEast1 } from '../../../../shared/cost/prices.ts';
import { billOf } from '../../../../shared/cost/usage.ts';
import { assumedRates, noWork, sizeClassOf, workOfMean } from '../../../../shared/cost/work.ts';

const TB = 1e12;
const MIB = 1024 ** 2;
const terabyte = { work: workOfMean(500_000, TB), batches: 950, longestBytes: 2e6 } satisfies Task;

it.each([
  [0, 'small'],
  [2 * MIB - 1, 'small'],
  [2 * MIB, 'middle'],
  [128 * MIB - 1, 'middle'],
  [128 * MIB, 'large'],
])('a file of %d bytes is %s', (lengthBytes, size) => {
  expect(sizeClassOf(lengthBytes)).toBe(size);
});

describe('a terabyte in files of 2 MB', () => {
  it('takes one copier 20,000 seconds at the assumed rates, and 20 of them a twentieth', () => {
    const one = forecast(terabyte, { copiers: 1, rates: assumedRates(10) });
    expect(one).toEqual({ seconds: 20_000, bound: 'copiers', copierSeconds: 20_000 });
    const many = forecast(terabyte, { copiers: 20, rates: assumedRates(10) });
    expect(many).toEqual({ seconds: 1000, bound: 'copiers', copierSeconds: 20_000 });
  });

  it('costs what docs/scale.md says', () => {
    const { lambda, stepFunctions, dynamo, total } = costOf(
      terabyte,
      { copiers: 20, rates: assumedRates(10) },
      usEast1,
    );
    expect([lambda, stepFunctions, dynamo, total].map((dollars) => dollars.toFixed(2))).toEqual([
      '0.46',
      '0.10',
      '0.15',
      '0.71',
    ]);
  });

  it.each([
    [{ bytesPerSecond: 125_000_000 }, { seconds: 8000, bound: 'bandwidth', copierSeconds: 160_000 }],
    [{ opsPerSecond: 1000 }, { seconds: 2000, bound: 'namenode requests', copierSeconds: 40_000 }],
    [{ longestBytes: 5e11 }, { seconds: 10_000, bound: 'the longest file', copierSeconds: 20_000 }],
    [{ batches: 4 }, { seconds: 5000, bound: 'copiers', copierSeconds: 20_000 }],
  ] as const)('is bound by %j, and who waits is paid for', (limit, expected) => {
    expect(forecast({ ...terabyte, ...limit }, { copiers: 20, rates: assumedRates(10) })).toEqual(expected);
  });
});

it('of small files their number decides, and the transfers at once', () => {
  const task = { work: workOfMean(1_000_000, 6.4e10), batches: 1000, longestBytes: 64_000 };
  expect(forecast(task, { copiers: 10, rates: assumedRates(10) }).seconds).toBe(1000);
  expect(forecast(task, { copiers: 10, rates: assumedRates(2) }).seconds).toBe(5000);
});

it('nothing to copy takes no time', () => {
  const task = { work: noWork, batches: 0, longestBytes: 0 };
  expect(forecast(task, { copiers: 20, rates: assumedRates(10) })).toMatchObject({ seconds: 0, copierSeconds: 0 });
});

it('a bill adds up each service at its own price', () => {
  const usage = {
    invocations: 1_000_000,
    gbSeconds: { arm64: 1000, x64: 2000 },
    transitions: 4000,
    dynamoReads: 8_000_000,
    dynamoWrites: 1_600_000,
    s3Puts: 200,
    s3Gets: 2500,
  };
  const { lambda, stepFunctions, dynamo, s3, total } = billOf(usage, usEast1);
  expect(lambda).toBeCloseTo(0.2 + 0.013_333_4 + 0.033_333_4, 9);
  expect(stepFunctions).toBeCloseTo(0.1, 9);
  expect(dynamo).toBeCloseTo(1 + 1, 9);
  expect(s3).toBeCloseTo(0.001 + 0.001, 9);
  expect(total).toBeCloseTo(lambda + stepFunctions + dynamo + s3, 9);
});
