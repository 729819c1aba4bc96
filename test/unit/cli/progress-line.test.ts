import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { line, planningLine } from '../../../cli/progress-display.ts';
import { Progress } from '../../../shared/copy/progress.ts';

const progress = (fields: Partial<Omit<Progress, 'pending' | 'settle' | 'count'>>) =>
  Object.assign(new Progress(), fields);
const MIB = 1024 * 1024;

describe('line', () => {
  it('tells percent, bytes, speed, time left and counts where there is room', () => {
    const now = progress({
      expectedFiles: 42,
      expectedBytes: 1000 * MIB,
      bytes: 271 * MIB,
      transferring: 6,
      complete: 4,
    });
    expect(line(now, 100 * MIB)).toBe(
      ' 27.1% 271.0 MiB of 1.0 GiB 100.0 MiB/s 0:07 left [ pending: 32 | transferring: 6 | complete: 4 | failed: 0 ]',
    );
  });

  it('tells of copiers where there are several', () => {
    const now = progress({ expectedFiles: 2, expectedBytes: 200, bytes: 100, complete: 1, copiers: 4 });
    expect(line(now, 0)).toMatch(/ \| complete: 1 \| failed: 0 \| copiers: 4 \]$/);
  });

  it('fits 80 columns and begins with the percentage, whatever the numbers', () => {
    const numbers = fc.record({
      expectedFiles: fc.nat(50_000_000),
      expectedBytes: fc.oneof(fc.nat(1000), fc.maxSafeNat()),
      bytes: fc.maxSafeNat(),
      transferring: fc.nat(10_000),
      complete: fc.nat(50_000_000),
      failed: fc.nat(50_000_000),
    });
    fc.assert(
      fc.property(numbers, fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e12, noNaN: true })), (fields, speed) => {
        const text = line(progress(fields), speed, 80);
        expect(text.length).toBeLessThanOrEqual(80);
        expect(text).toMatch(/^ {0,2}\d{1,3}\.\d%/);
        expect(text).not.toMatch(/NaN|undefined|Infinity|-\d/);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [110, ' 11.1% 100 B of 900 B 10 B/s 1:20 left [ pending: 8 | transferring: 0 | complete: 1 | failed: 0 ]'],
    [80, ' 11.1% 100 B of 900 B 10 B/s 1:20 left [ P:8 T:0 C:1 F:0 ]'],
    [55, ' 11.1% 100 B 10 B/s 1:20 left [ P:8 T:0 C:1 F:0 ]'],
    [30, ' 11.1% [ P:8 T:0 C:1 F:0 ]'],
    [8, ' 11.1%'],
  ])('leaves out what does not fit into %i columns', (width, expected) => {
    const now = progress({ expectedFiles: 9, expectedBytes: 900, bytes: 100, complete: 1 });
    expect(line(now, 10, width)).toBe(expected);
  });

  it.each([
    [Infinity, ' 11.1% 100 B of 900 B 10 B/s 1:20 left, limited to 10 B/s [ pending: 8 | transferring: 0 | '],
    [80, ' 11.1% 100 B of 900 B 10 B/s 1:20 left, limited to 10 B/s [ P:8 T:0 C:1 F:0 ]'],
    [60, ' 11.1% 100 B 10 B/s 1:20 left [ P:8 T:0 C:1 F:0 ]'],
  ])('tells within %d columns that a limit holds the job up', (width, expected) => {
    const now = progress({ expectedFiles: 9, expectedBytes: 900, bytes: 100, complete: 1 });
    now.limit = () => 'limited to 10 B/s';
    expect(line(now, 10, width).slice(0, expected.length)).toBe(expected);
  });

  it.each<[string, Progress['atOnce'], number, string]>([
    ['a number that finds itself', { first: 10, now: 34, busy: undefined }, 80, '[ P:9 T:0 C:0 F:0 ] 10 → 34 at once'],
    ['a number that finds itself', { first: 10, now: 34, busy: undefined }, 30, ' 0.0% [ P:9 T:0 C:0 F:0 ]'],
    [
      'a busy cluster',
      { first: 40, now: 12, busy: { cluster: 'prod', of: 40 } },
      80,
      '0.0% [ P:9 T:0 C:0 F:0 ] cluster prod is busy: 12 of 40 transfers',
    ],
  ])('tells of %s where there is room', (_what, atOnce, width, end) => {
    const text = line(progress({ expectedFiles: 9, expectedBytes: 900, atOnce }), 10, width);
    expect(text.slice(-end.length)).toBe(end);
    expect(text.length).toBeLessThanOrEqual(width);
  });

  it('tells how far planning is', () => {
    const now = progress({ planning: true, expectedFiles: 1234, listed: { files: 5678, directories: 90 } });
    expect(planningLine(now, 511.6)).toBe(
      'planning: 5678 files and 90 directories listed, 512/s; 1234 files in the job',
    );
    expect(planningLine(now, 511.6, 80)).toBe(
      'planning: 5678 files and 90 directories listed, 512/s; 1234 files in the job',
    );
    expect(planningLine(now, 511.6, 60)).toBe('planning: 5678 files and 90 directories listed, 512/s');
    expect(planningLine(now, 511.6, 50)).toBe('planning: 5678 files and 90 directories listed');
    expect(planningLine(now, 511.6, 25)).toBe('planning: 5678 files');
    expect(planningLine(now, 511.6, 4)).toBe('plan');
  });

  it.each([
    ['nothing is known yet', {}, '0.0%'],
    ['there are only empty files', { expectedFiles: 4, complete: 1, failed: 1 }, '50.0%'],
    ['more was read than planned', { expectedFiles: 1, expectedBytes: 10, bytes: 11 }, '100.0%'],
  ])('has a percentage when %s', (_what, fields, percent) => {
    expect(line(progress(fields), 0).trim()).toMatch(new RegExp(`^${percent}`));
  });
});
