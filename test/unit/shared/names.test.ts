import { expect, it } from 'vitest';
import * as errors from '../../../shared/errors.ts';
import { errorNames } from '../../../shared/names.ts';

const where = { operation: 'OPEN', path: '/x' };

it.each([
  [errorNames.spec, new errors.SpecError('')],
  [errorNames.refused, new errors.RefusedError('')],
  [errorNames.unavailable, new errors.UnavailableError('', where, undefined, undefined)],
  [errorNames.busy, new errors.DestinationBusyError('', '')],
  [errorNames.superseded, new errors.SupersededError(1)],
  [errorNames.tooManyFailures, new errors.TooManyFailuresError(2, 1, '')],
  [errorNames.closed, new errors.JobClosedError('job')],
])('the state machine matches %s by the name that is thrown', (name, error) => {
  // A property of its own: a minifier renames the class, not this.
  expect(Object.hasOwn(error, 'name')).toBe(true);
  expect(error.name).toBe(name);
});
