import { describe, expect, it } from 'vitest';
import { endingOf } from '../../../../shared/job/ending.ts';
import { newJob } from '../../../support/outcomes.ts';
import { parseJobSpec } from '../../../../shared/job/spec.ts';

const job = newJob({ phase: 'finishing', expectedFiles: 6 });
const counters = (copied: number, skipped: number, failed: number) =>
  new Map([
    ['files.copied', copied],
    ['files.skipped', skipped],
    ['files.failed', failed],
    ['bytes.copied', 5],
  ]);

describe('endingOf', () => {
  it.each([
    [6, 0, 0, 'Successful'],
    [4, 2, 0, 'Successful'],
    [3, 2, 1, 'Failed'],
  ])('%d copied, %d skipped, %d failed of six is %s', (copied, skipped, failed, outcome) => {
    expect(endingOf(job, counters(copied, skipped, failed), {})).toMatchObject({
      phase: 'done',
      outcome,
      error: undefined,
    });
  });

  it.each([
    [5, 0, 0],
    [3, 1, 1],
    [7, 0, 0],
    [0, 0, 0],
  ])('%d copied, %d skipped, %d failed of six does not add up', (copied, skipped, failed) => {
    const settled = copied + skipped + failed;
    const says = `6 files were planned, and ${settled} were copied, skipped or failed`;
    expect(() => endingOf(job, counters(copied, skipped, failed), {})).toThrow(says);
  });

  it('is Successful, and adds up, with files that vanished or changed', () => {
    const overtaken = new Map([...counters(3, 1, 0), ['files.vanished', 1], ['files.changed', 1]]);
    expect(endingOf(job, overtaken, {}).outcome).toBe('Successful');
  });

  it('is Successful for no files at all', () => {
    expect(endingOf(newJob(), new Map(), {}).outcome).toBe('Successful');
  });

  it('fails for attributes of directories only where they must be kept', () => {
    const spec = parseJobSpec({
      source: 'a:/in',
      destination: 'b:/out',
      options: { preserve: true, strictPreserve: true },
    });
    expect(endingOf(job, counters(6, 0, 0), { owner: 1 })).toMatchObject({
      outcome: 'Successful',
      directoryWarnings: { owner: 1 },
    });
    expect(endingOf({ ...job, spec }, counters(6, 0, 0), { owner: 1 })).toMatchObject({
      outcome: 'Failed',
      error: expect.stringContaining('see Warnings') as string,
    });
    // Of what is gone from the source nothing could be kept.
    const gone = { 'directory vanished': 1, 'reasons.directory vanished: FileNotFoundException': 1 };
    expect(endingOf({ ...job, spec }, counters(6, 0, 0), gone)).toMatchObject({ outcome: 'Successful' });
  });
});
