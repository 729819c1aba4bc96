import { describe, expect, it } from 'vitest';
import * as errors from '../../../shared/errors.ts';

const where = { operation: 'OPEN', path: '/data/new\nline', host: 'nn1:9870' };
const all = [
  new errors.SpecError('wrong', 'do this'),
  new errors.RefusedError('refused', 'do this'),
  new errors.TransportError('broken', where, { remedy: 'do this' }),
  new errors.UnavailableError('down', where, 'do this', undefined),
  new errors.SourceChangedError('changed', where),
  new errors.IntegrityError('differs', where),
  new errors.SupersededError(3),
  new errors.DestinationBusyError('busy', 'do this'),
  new errors.TooManyFailuresError(11, 10, 'do this'),
  new errors.IncompleteError(9, 8),
  new errors.StateError('the disk is full', 'do this'),
];

describe('every error', () => {
  it.each(all.map((error) => [error.name, error] as const))(
    '%s is one line, and says what to do next',
    (name, error) => {
      expect(error).toBeInstanceOf(errors.FanoutError);
      expect(error.constructor.name).toBe(name);
      expect(error.message).not.toMatch(/[\r\n]/);
      expect(['retry', 'fail-unit', 'fail-job']).toContain(error.disposition);
      if (error.remedy) expect(error.message).toMatch(new RegExp(`\\(${error.remedy}\\)$`));
    },
  );

  it('tells operation, path and host before the reason, and the remedy after it', () => {
    expect(all[2]?.message).toBe('OPEN /data/new\\nline on nn1:9870: broken (do this)');
  });

  it('keeps its cause and its reason apart from the message', () => {
    const cause = new Error('inner');
    const error = new errors.TransportError('several\n  lines\r\n', { operation: 'OPEN', path: '/x' }, { cause });
    expect(error).toMatchObject({ cause, reason: 'several lines', message: 'OPEN /x: several lines' });
  });
});

describe('messageOf', () => {
  it.each([
    [new Error('two\nlines'), 'two lines'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [404, '404'],
    ['\u001b[2J\u001b[31mred\u001b[0m\u0007', 'red'],
    ['\u001b]0;title\u0007text\u001b]8;;http://x\u001b\\link', 'textlink'],
    ['a\tb\u0000\u009bc\u202ed', 'a bcd'],
  ])('makes one line of %s', (thrown, text) => {
    expect(errors.messageOf(thrown)).toBe(text);
  });
});

describe('printable', () => {
  it.each([
    ['/a\nb', '/a\\nb'],
    ['/a\tb\r\0', '/a\\tb\\r\\u0000'],
    ['/\u001b[31mred', '/\\u001b[31mred'],
    ['/ünï 😀', '/ünï 😀'],
    ['/\u007f', '/\\u007f'],
    ['/\u009b31m', '/\\u009b31m'],
    ['/gpj.\u202eexe', '/gpj.\\u202eexe'],
    ['/\u2028', '/\\u2028'],
  ])('of %j is %j', (path, text) => {
    expect(errors.printable(path)).toBe(text);
  });
});
