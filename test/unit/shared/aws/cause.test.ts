import { expect, it } from 'vitest';
import { messageInCause } from '../../../../shared/aws/cause.ts';

const said = 'STAT /in "a"\\b: no such file';
const lambda = { errorType: 'RefusedError', errorMessage: said, trace: ['RefusedError: no such file', '    at step'] };

it.each([
  ['a Lambda’s cause', JSON.stringify(lambda), said],
  ['one with spaces between its fields', JSON.stringify(lambda, undefined, 1), said],
  ['one that was cut off behind its message', JSON.stringify(lambda).slice(0, -20), said],
])('%s gives its message', (_what, cause, message) => {
  expect(messageInCause(cause)).toBe(message);
});

it.each([
  ['one that was cut off in its message', '{"errorType":"RefusedError","errorMessage":"STAT /in'],
  ['a summary of failed files, whatever they are called', JSON.stringify({ failures: ['/in/"errorMessage":"x"'] })],
  ['a text that quotes JSON', 'stopped by hand: "errorMessage":"x"'],
  ['what looks like JSON and is none', '{"errorMessage":"a \\x b"}'],
  ['no cause', ''],
])('%s stays as it is', (_what, cause) => {
  expect(messageInCause(cause)).toBe(cause);
});
