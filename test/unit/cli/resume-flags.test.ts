import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addJobFlags, type CopyFlags, givenFlags, retryOptions } from '../../../cli/options.ts';
import { flagsOnResume } from '../../../cli/resume.ts';
import { type JobOptions, parseJobSpec, withOptions } from '../../../shared/job/spec.ts';

const spec = parseJobSpec({ source: 'a:/in', destination: 'b:/out', options: { preserve: true } });
const flagsOf = (kind: 'job' | 'run' | 'kept') =>
  Object.entries(flagsOnResume).flatMap(([name, what]) => (what === kind ? [name] : []));

describe('every flag of a job', () => {
  const names = addJobFlags(new Command()).options.map((option) => option.attributeName());

  it.each(names)('%s may change on a resume or may not', (name) => {
    expect(['job', 'kept']).toContain(flagsOnResume[name as keyof CopyFlags]);
  });

  it.each(flagsOf('job'))('%s, which may change, is taken by the job', (name) => {
    const value = spec.options[name as keyof JobOptions];
    expect(withOptions(spec, { [name]: value })).toEqual(spec);
  });

  it.each([...flagsOf('kept'), 'nothing', '__proto__x'])('%s, which may not, is refused', (name) => {
    expect(() => withOptions(spec, { [name]: true })).toThrow(`options.${name} cannot change: the job keeps its own`);
  });

  it('that a retry in AWS takes may change on a resume as well', () => {
    for (const option of retryOptions) expect(flagsOnResume[option.attributeName() as keyof CopyFlags]).toBe('job');
  });
});

describe('withOptions', () => {
  it('changes what it is given and keeps the rest', () => {
    const changed = withOptions(spec, { force: true, threads: 7 });
    expect(changed).toEqual({ ...spec, options: { ...spec.options, force: true, threads: 7 } });
  });

  it('refuses a wrong value by name', () => {
    expect(() => withOptions(spec, { maxFailures: -1 })).toThrow('options.maxFailures');
  });
});

describe('givenFlags', () => {
  it.each([
    [[], {}],
    [['--threads', '0'], { threads: '--threads' }],
    [['-f', '--no-checksum', '-s', 'a'], { force: '--force', checksum: '--no-checksum', src: '--src' }],
  ])('of %j are those that were typed', (args, expected) => {
    const command = addJobFlags(new Command()).parse(args, { from: 'user' });
    expect(Object.fromEntries(givenFlags(command))).toEqual(expected);
  });
});
