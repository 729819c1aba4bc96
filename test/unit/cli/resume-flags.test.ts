import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addJobFlags, type CopyFlags, givenFlags, type JobFlags, retryOptions, specOf } from '../../../cli/options.ts';
import { flagsOnResume } from '../../../cli/resume.ts';
import { type Existing, existingChoices } from '../../../shared/job/existing.ts';
import { type JobOptions, parseJobSpec, withOptions } from '../../../shared/job/spec.ts';

const spec = parseJobSpec({ source: 'a:/in', destination: 'b:/out', options: { preserve: true } });
const isExisting = (text: string): text is Existing => existingChoices.some((choice) => choice === text);
const flagsOf = (kind: 'job' | 'run' | 'kept') =>
  Object.entries(flagsOnResume).flatMap(([name, what]) => (what === kind ? [name] : []));

describe('every flag of a job', () => {
  const names = addJobFlags(new Command()).options.map((option) => option.attributeName());

  it.each(names)('%s may change on a resume or may not', (name) => {
    expect(['job', 'kept']).toContain(flagsOnResume[name as keyof CopyFlags]);
  });

  it.each(flagsOf('job'))('%s, which may change, is taken by the job', (name) => {
    const value = name === 'force' ? false : spec.options[name as keyof JobOptions];
    expect(withOptions(spec, { [name]: value })).toEqual(spec);
  });

  it.each([...flagsOf('kept'), 'nothing', '__proto__x'])('%s, which may not, is refused', (name) => {
    expect(() => withOptions(spec, { [name]: true })).toThrow(`options.${name} cannot change: the job keeps its own`);
  });

  it('that a retry in AWS takes may change on a resume as well', () => {
    for (const [name, option] of Object.entries(retryOptions)) {
      expect(option.attributeName()).toBe(name);
      expect(flagsOnResume[name as keyof CopyFlags]).toBe('job');
    }
  });
});

describe('withOptions', () => {
  it('changes what it is given and keeps the rest', () => {
    const changed = withOptions(spec, { force: true, threads: 7 });
    expect(changed).toEqual({ ...spec, options: { ...spec.options, existing: 'update', threads: 7 } });
  });

  it.each<[Existing, Record<string, unknown>, string]>([
    ['fail', { force: true }, 'update'],
    ['skip', { force: true }, 'update'],
    ['update', { force: true }, 'update'],
    ['overwrite', { force: true }, 'overwrite'],
    ['fail', { force: false }, 'fail'],
    ['skip', { force: false }, 'skip'],
    ['update', { force: false }, 'options.existing cannot change from update to fail: files may have been replaced'],
    ['overwrite', { force: false }, 'cannot change from overwrite to fail: files may have been replaced'],
    ['fail', { existing: 'fail' }, 'fail'],
    ['fail', { existing: 'skip' }, 'skip'],
    ['fail', { existing: 'update' }, 'update'],
    ['fail', { existing: 'overwrite' }, 'cannot change from fail to overwrite: the job planned to compare'],
    ['skip', { existing: 'fail' }, 'fail'],
    ['skip', { existing: 'update' }, 'update'],
    ['skip', { existing: 'overwrite' }, 'cannot change from skip to overwrite: the job planned to compare'],
    ['update', { existing: 'fail' }, 'cannot change from update to fail: files may have been replaced'],
    ['update', { existing: 'skip' }, 'cannot change from update to skip: files may have been replaced'],
    ['update', { existing: 'update' }, 'update'],
    ['update', { existing: 'overwrite' }, 'cannot change from update to overwrite'],
    ['overwrite', { existing: 'fail' }, 'cannot change from overwrite to fail: files may have been replaced'],
    ['overwrite', { existing: 'update' }, 'cannot change from overwrite to update'],
    ['overwrite', { existing: 'overwrite' }, 'overwrite'],
    ['fail', { existing: 'update', force: true }, 'options.existing: says all that force and checksum say'],
    ['fail', { force: 'yes' }, 'options.force: '],
  ])('of a job that would %s what exists, given %j: %s', (existing, changes, expected) => {
    const job = { ...spec, options: { ...spec.options, existing } };
    const changed = () => withOptions(job, changes);
    if (!isExisting(expected)) expect(changed).toThrow(expected);
    else expect(changed()).toEqual({ ...spec, options: { ...spec.options, existing: expected } });
  });

  it('refuses a wrong value by name', () => {
    expect(() => withOptions(spec, { maxFailures: -1 })).toThrow('options.maxFailures');
  });
});

describe('what becomes of existing files', () => {
  const said = (...args: string[]) => {
    const flags = addJobFlags(new Command()).parse(args, { from: 'user' }).opts<JobFlags>();
    return specOf(['a:/in', 'b:/out'], flags).options.existing;
  };

  it.each<[string, Existing]>([
    ['', 'fail'],
    ['-f', 'update'],
    ['--force --no-checksum', 'overwrite'],
    ['--no-checksum', 'fail'],
    ...existingChoices.map((choice): [string, Existing] => [`--existing ${choice}`, choice]),
  ])('%s: %s', (args, existing) => {
    expect(said(...args.split(' ').filter(Boolean))).toBe(existing);
  });

  it.each([
    ['--force', '--force'],
    ['--no-checksum', '--no-checksum'],
    ['--force --no-checksum', '--force'],
  ])('is not said twice: %s', (args, named) => {
    const twice = () => said('--existing', 'skip', ...args.split(' '));
    expect(twice).toThrow(`--existing skip and ${named} both say what becomes of existing files`);
    expect(twice).toThrow(expect.objectContaining({ name: 'SpecError' }));
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
